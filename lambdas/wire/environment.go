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
)

// Environment is what the stack has decided for its functions.
type Environment struct {
	// Gates are the gates beyond CloudWatch that the stack has permissions for:
	// see rollout.Permissions.
	Gates []string
	// Topics are the ARNs of the SNS topics that requests may name.
	Topics []string
	// Topic is the ARN of the stack's own topic, or empty.
	Topic string
	// Namespace is the CloudWatch namespace of the metrics that functions log.
	Namespace string
}

// ReadEnvironment reads an environment through lookup, which returns the value
// of a variable, or "" if it is not set, as os.Getenv does.
func ReadEnvironment(lookup func(string) string) Environment {
	return Environment{
		Gates:     listed(lookup(GatesVariable)),
		Topics:    listed(lookup(TopicsVariable)),
		Topic:     lookup(TopicVariable),
		Namespace: cmp.Or(lookup(NamespaceVariable), "LambdaRollout"),
	}
}

func listed(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
}
