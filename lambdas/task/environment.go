package task

import (
	"os"
	"strings"
)

// The environment of the functions.
const (
	gatesVariable  = "GATES"     // those that the stack allows, separated by commas
	topicsVariable = "TOPICS"    // ARNs of those that requests may name, likewise
	topicVariable  = "TOPIC_ARN" // the stack's own
)

// AllowedGates are those that the stack has permissions for.
func AllowedGates() []string { return listed(gatesVariable) }

// AllowedTopics are those that requests may name.
func AllowedTopics() []string { return listed(topicsVariable) }

// OwnTopic is the ARN of the stack's own.
func OwnTopic() string { return os.Getenv(topicVariable) }

func listed(variable string) []string {
	return strings.FieldsFunc(os.Getenv(variable), func(r rune) bool { return r == ',' })
}
