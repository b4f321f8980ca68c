package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// condition is one condition key under one operator.
type condition struct {
	operator string // as it is written
	key      string
	values   []string
	set      string // "ForAnyValue" or "ForAllValues" for keys with several values, or empty
	test     func(want, have string) bool
	negated  bool // it is met if none of the values matches
	ifExists bool // it is met if the key is absent
}

// operators maps the supported operators, without their negations, to their tests.
var operators = map[string]func(want, have string) bool{
	"StringEquals":           func(want, have string) bool { return want == have },
	"StringEqualsIgnoreCase": strings.EqualFold,
	"StringLike":             matchText,
	"ArnEquals":              matchARN,
	"ArnLike":                matchARN,
	"Bool":                   strings.EqualFold,
	"Null":                   nil, // it compares no value
}

// negations maps negated operators to the operators that they negate.
var negations = map[string]string{
	"StringNotEquals":           "StringEquals",
	"StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike":             "StringLike",
	"ArnNotEquals":              "ArnEquals",
	"ArnNotLike":                "ArnLike",
}

// parseConditions reads a Condition element. It returns the conditions sorted by operator and key.
func parseConditions(block any) ([]condition, error) {
	byOperator, ok := block.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the Condition is %v; it must be an object of operators", block)
	}
	var all []condition
	var problems []error
	for _, operator := range slices.Sorted(maps.Keys(byOperator)) {
		byKey, ok := byOperator[operator].(map[string]any)
		if !ok {
			problems = append(problems, fmt.Errorf("%s has %v; it must have an object of condition keys", operator, byOperator[operator]))
		}
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			c, err := parseCondition(operator, key, byKey[key])
			if err != nil {
				problems = append(problems, fmt.Errorf("%s of %s: %w", operator, key, err))
			}
			all = append(all, c)
		}
	}
	return all, errors.Join(problems...)
}

// parseCondition reads one key of one operator with the values that it is given.
func parseCondition(operator, key string, given any) (condition, error) {
	c := condition{operator: operator, key: key}
	name := operator
	if set, rest, ok := strings.Cut(operator, ":"); ok && (set == "ForAnyValue" || set == "ForAllValues") {
		c.set, name = set, rest
	}
	if name, c.ifExists = strings.CutSuffix(name, "IfExists"); negations[name] != "" {
		c.negated, name = true, negations[name]
	}
	test, ok := operators[name]
	if !ok || name == "Null" && (c.set != "" || c.ifExists) {
		return c, fmt.Errorf("the operator is not supported; use %s, their negations, IfExists, ForAnyValue or ForAllValues",
			strings.Join(slices.Sorted(maps.Keys(operators)), ", "))
	}
	c.test = test
	var err error
	c.values, err = texts(given)
	for _, value := range c.values {
		problem := checkVariables(value)
		switch {
		case problem != nil:
		case (name == "Bool" || name == "Null") && value != "true" && value != "false":
			problem = fmt.Errorf("%q is neither true nor false", value)
		case strings.HasPrefix(name, "Arn") && strings.Count(value, ":") < 5:
			problem = fmt.Errorf("%q is not an ARN with all six parts", value)
		}
		err = errors.Join(err, problem)
	}
	return c, err
}

// met reports whether a request with these condition keys meets the condition. It returns an error if the request does
// not say whether it has the key, or has several values for an operator of one.
func (c condition) met(context map[string][]string) (bool, error) {
	have, known := lookUp(context, c.key)
	if !known {
		return false, fmt.Errorf("the condition key %s (%s) is not known for this request", c.key, c.operator)
	}
	if c.test == nil { // Null
		return slices.Contains(c.values, map[bool]string{true: "true", false: "false"}[len(have) == 0]), nil
	}
	switch {
	case len(have) == 0 && (c.ifExists || c.set == "ForAllValues"):
		return true, nil
	case len(have) == 0:
		return c.negated && c.set == "", nil
	case len(have) > 1 && c.set == "":
		return false, fmt.Errorf("the condition key %s has %d values; %s needs ForAnyValue or ForAllValues", c.key, len(have), c.operator)
	case c.set == "ForAnyValue":
		return slices.ContainsFunc(have, c.fits), nil
	}
	return !slices.ContainsFunc(have, func(value string) bool { return !c.fits(value) }), nil
}

// fits reports whether one of the request's values for the key meets the condition.
func (c condition) fits(have string) bool {
	any := slices.ContainsFunc(c.values, func(want string) bool { return c.test(want, have) })
	return any != c.negated
}

// lookUp returns a request's values for a key, ignoring case. The key is known if the request has it, even without a
// value, or has a key that ends in /* and stands for all others with the same prefix.
func lookUp(context map[string][]string, key string) (values []string, known bool) {
	if values, known = context[key]; known {
		return values, true
	}
	for name, values := range context {
		if strings.EqualFold(name, key) {
			return values, true
		}
		if prefix, all := strings.CutSuffix(name, "*"); all && len(key) > len(prefix) && strings.EqualFold(key[:len(prefix)], prefix) {
			known = true
		}
	}
	return nil, known
}
