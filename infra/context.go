package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"

	"github.com/lambda-rollout/lambda-rollout/infra/lambdarollout"
)

// The app's context values, given to the CDK CLI as in
// `cdk deploy -c functions=orders,billing -c gates=probes`, or in cdk.json.
const (
	// functionsContext opts functions in by name instead of by tag.
	functionsContext = "functions"
	// gatesContext enables gates beyond CloudWatch.
	gatesContext = "gates"
	// topicsContext has the ARNs of topics that requests may name.
	topicsContext = "topics"
	// simpleContext adds the one-function deployer: true or false.
	simpleContext = "simple"
	// stackContext adds rollouts that templates declare: true or false.
	stackContext = "stack"
	// alarmTopicContext is the ARN of the topic that alarms publish to.
	alarmTopicContext = "alarm-topic"
	// logRetentionContext is the number of days for which logs are kept.
	logRetentionContext = "log-retention"
	// keyContext is the ARN of the key that encrypts logs, topic and queue.
	keyContext = "kms-key"
	// boundaryContext is the ARN of the permissions boundary of every role.
	boundaryContext = "permissions-boundary"
	// reservedContext is the reserved concurrency of the Rollback function.
	reservedContext = "reserved-concurrency"
	// standaloneContext makes a template that is deployed without CDK: true or false.
	standaloneContext = "standalone"
)

// settings are the context values as the stack needs them.
type settings struct {
	lambdarollout.Props
	// ARNs of what Props has as constructs; "" for none.
	alarmTopic, key, boundary string
	standalone                bool
}

// settingsFrom reads the context values; for an absent one, context returns nil. A
// list is a comma-separated string or a list of strings. The error lists all problems
// of all values.
func settingsFrom(context func(key string) any) (*settings, error) {
	s := &settings{}
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
			s.OptIn, err = lambdarollout.Named(functions...)
		}
		return err
	})
	read(gatesContext, func(value any) (err error) {
		if s.Gates, err = list(value, "the gates' names, separated by commas, as in -c gates=probes,checks"); err == nil {
			err = (&lambdarollout.Props{Gates: s.Gates}).Validate()
		}
		return err
	})
	read(topicsContext, func(value any) (err error) {
		if s.Topics, err = list(value, "the topics' ARNs, separated by commas"); err == nil {
			err = (&lambdarollout.Props{Topics: s.Topics}).Validate()
		}
		return err
	})
	read(simpleContext, func(value any) (err error) {
		s.SimpleDeploy, err = flag(value)
		return err
	})
	read(stackContext, func(value any) (err error) {
		s.StackRollouts, err = flag(value)
		return err
	})
	read(alarmTopicContext, func(value any) error {
		s.alarmTopic = fmt.Sprint(value)
		return (&lambdarollout.Props{Topics: []string{s.alarmTopic}}).Validate()
	})
	read(logRetentionContext, func(value any) (err error) {
		s.LogRetention, err = retention(value)
		return err
	})
	read(keyContext, func(value any) (err error) {
		s.key, err = arnLike(value, keyARN, "a KMS key's ARN, not an alias's (arn:aws:kms:<region>:<account>:key/<id>)")
		return err
	})
	read(boundaryContext, func(value any) (err error) {
		s.boundary, err = arnLike(value, policyARN, "a managed policy's ARN (arn:aws:iam::<account>:policy/<name>)")
		return err
	})
	read(reservedContext, func(value any) error {
		number, err := strconv.ParseFloat(fmt.Sprint(value), 64)
		if err != nil {
			return fmt.Errorf("given: %q; give a whole number, or 0 to reserve none", fmt.Sprint(value))
		}
		s.ReservedConcurrency = &number
		return (&lambdarollout.Props{ReservedConcurrency: &number}).Validate()
	})
	read(standaloneContext, func(value any) (err error) {
		s.standalone, err = flag(value)
		return err
	})
	return s, errors.Join(problems...)
}

var (
	keyARN    = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	policyARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$`)
)

// arnLike reads an ARN of that shape; want describes it in the error.
func arnLike(value any, shape *regexp.Regexp, want string) (string, error) {
	arn := fmt.Sprint(value)
	if !shape.MatchString(arn) {
		return "", fmt.Errorf("given: %q; give %s", arn, want)
	}
	return arn, nil
}

// retentions are the retention periods of CloudWatch Logs, by their number of days.
var retentions = map[string]awslogs.RetentionDays{
	"1": awslogs.RetentionDays_ONE_DAY, "3": awslogs.RetentionDays_THREE_DAYS, "5": awslogs.RetentionDays_FIVE_DAYS,
	"7": awslogs.RetentionDays_ONE_WEEK, "14": awslogs.RetentionDays_TWO_WEEKS, "30": awslogs.RetentionDays_ONE_MONTH,
	"60": awslogs.RetentionDays_TWO_MONTHS, "90": awslogs.RetentionDays_THREE_MONTHS, "120": awslogs.RetentionDays_FOUR_MONTHS,
	"150": awslogs.RetentionDays_FIVE_MONTHS, "180": awslogs.RetentionDays_SIX_MONTHS, "365": awslogs.RetentionDays_ONE_YEAR,
	"400": awslogs.RetentionDays_THIRTEEN_MONTHS, "545": awslogs.RetentionDays_EIGHTEEN_MONTHS, "731": awslogs.RetentionDays_TWO_YEARS,
	"1096": awslogs.RetentionDays_THREE_YEARS, "1827": awslogs.RetentionDays_FIVE_YEARS, "2192": awslogs.RetentionDays_SIX_YEARS,
	"2557": awslogs.RetentionDays_SEVEN_YEARS, "2922": awslogs.RetentionDays_EIGHT_YEARS, "3288": awslogs.RetentionDays_NINE_YEARS,
	"3653": awslogs.RetentionDays_TEN_YEARS, "infinite": awslogs.RetentionDays_INFINITE,
}

// retention reads a retention period.
func retention(value any) (awslogs.RetentionDays, error) {
	days, ok := retentions[fmt.Sprint(value)]
	if !ok {
		known := slices.SortedFunc(maps.Keys(retentions), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
		})
		return "", fmt.Errorf("given: %q; give one of these numbers of days: %s", fmt.Sprint(value), strings.Join(known, ", "))
	}
	return days, nil
}

// list reads a list; want describes it in the error.
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
		return nil, fmt.Errorf("given: %v; give %s", value, want)
	}
	for i, element := range elements {
		elements[i] = strings.TrimSpace(element)
	}
	return elements, nil
}

// flag reads true or false, as a bool or as the string that the command line gives.
func flag(value any) (bool, error) {
	switch value {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	return false, fmt.Errorf("given: %q; give true or false", fmt.Sprint(value))
}
