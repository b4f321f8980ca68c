package wire

import (
	"cmp"
	"strings"
)

// The environment variables that the stack sets.
const (
	GatesVariable     = "GATES"     // names of gates, separated by commas
	TopicsVariable    = "TOPICS"    // ARNs of topics, separated by commas
	TopicVariable     = "TOPIC_ARN" // of one topic
	NamespaceVariable = "METRICS_NAMESPACE"
	MachineVariable   = "STATE_MACHINE_ARN"
	RecordsVariable   = "RECORDS_PATH" // of Parameter Store
	ReleasesVariable  = "RELEASE_MACHINE_ARN"
)

// Environment is the configuration that the stack gives its functions.
type Environment struct {
	// Gates are the gates that were enabled when the stack was deployed, besides
	// those that use CloudWatch: see rollout.Permissions.
	Gates []string
	// Topics are the ARNs of the SNS topics that requests may name.
	Topics []string
	// Topic is the ARN of the stack's own SNS topic, or "".
	Topic string
	// Namespace is the CloudWatch namespace of the functions' metrics,
	// "LambdaRollout" by default.
	Namespace string
	// Machine is the ARN of the rollouts' state machine; only the functions of stacks and
	// releases have it. RecordsPath is where Parameter Store keeps the requests of
	// stacks, and ReleaseMachine the ARN of the releases' state machine, which
	// CalculateWeights has.
	Machine, RecordsPath, ReleaseMachine string
}

// ReadEnvironment returns the environment from the variables that lookup returns;
// like os.Getenv, it returns "" for a variable that is not set.
func ReadEnvironment(lookup func(string) string) Environment {
	return Environment{
		Gates:     listed(lookup(GatesVariable)),
		Topics:    listed(lookup(TopicsVariable)),
		Topic:     lookup(TopicVariable),
		Namespace: cmp.Or(lookup(NamespaceVariable), "LambdaRollout"),
		Machine:   lookup(MachineVariable), RecordsPath: lookup(RecordsVariable),
		ReleaseMachine: lookup(ReleasesVariable),
	}
}

func listed(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
}
