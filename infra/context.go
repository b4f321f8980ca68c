package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// The context values that the app knows, given to the CDK CLI as in
// `cdk deploy -c functions=orders,billing -c gates=probes`, or in cdk.json.
const (
	// functionsContext narrows the opt-in from a tag to named functions.
	functionsContext = "functions"
	// gatesContext allows gates beyond CloudWatch.
	gatesContext = "gates"
	// topicsContext allows topics that requests may name, by ARN.
	topicsContext = "topics"
	// simpleContext adds the one-function deployer: true or false.
	simpleContext = "simple"
)

// propsFrom reads the context values; one that is absent is the default. A list
// is a comma-separated string or a list of strings. The error names all that is
// wrong with all of them.
func propsFrom(context func(key string) any) (*lambdarollout.Props, error) {
	props := &lambdarollout.Props{}
	var problems []error
	read := func(key string, into func(value any) error) {
		if value := context(key); value != nil {
			if err := into(value); err != nil {
				problems = append(problems, fmt.Errorf("context %q: %w", key, err))
			}
		}
	}
	read(functionsContext, func(value any) error {
		functions, err := list(value, "the functions' names, separated by commas, as in -c functions=orders,billing")
		if err == nil {
			props.OptIn, err = lambdarollout.Named(functions...)
		}
		return err
	})
	read(gatesContext, func(value any) (err error) {
		if props.Gates, err = list(value, "the gates' names, separated by commas, as in -c gates=probes,checks"); err == nil {
			err = (&lambdarollout.Props{Gates: props.Gates}).Validate()
		}
		return err
	})
	read(topicsContext, func(value any) (err error) {
		if props.Topics, err = list(value, "the topics' ARNs, separated by commas"); err == nil {
			err = (&lambdarollout.Props{Topics: props.Topics}).Validate()
		}
		return err
	})
	read(simpleContext, func(value any) (err error) {
		props.SimpleDeploy, err = flag(value)
		return err
	})
	return props, errors.Join(problems...)
}

// list reads a list of which want says what it is of.
func list(value any, want string) ([]string, error) {
	var elements []string
	switch value := value.(type) {
	case string:
		elements = strings.Split(value, ",")
	case []any:
		for _, element := range value {
			elements = append(elements, fmt.Sprint(element))
		}
	default:
		return nil, fmt.Errorf("it is %v: give %s", value, want)
	}
	for i, element := range elements {
		elements[i] = strings.TrimSpace(element)
	}
	return elements, nil
}

// flag reads true or false, which the command line gives as a string.
func flag(value any) (bool, error) {
	switch value {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return false, fmt.Errorf("it is %q: give true or false", fmt.Sprint(value))
}
