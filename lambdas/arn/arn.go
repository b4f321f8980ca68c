// Package arn takes Amazon Resource Names apart:
// arn:partition:service:region:account:resource.
//
// [Parse] returns all parts. [Name], [WithName] and [Region] also accept the short forms
// of users, such as the plain name of a function, and need no error.
//
// The AWS SDK has such a package too. This one imports nothing, so that package rollout,
// which knows no AWS, can use it, and it has what is needed here of executions' names.
package arn

import "strings"

// ARN has the parts of an Amazon Resource Name. Region and Account are empty for
// resources without them.
type ARN struct {
	Partition, Service, Region, Account string
	// Resource is everything after the account, and may contain colons:
	// "execution:my-machine:my-execution".
	Resource string
}

// Parse returns the parts of an ARN; false if text is none. It does not check whether
// the resource exists or its name is valid.
func Parse(text string) (ARN, bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" {
		return ARN{}, false
	}
	return ARN{parts[1], parts[2], parts[3], parts[4], parts[5]}, true
}

// String returns the ARN as text.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Name returns what follows the last colon of an ARN: the name of an execution, a topic,
// or a function without a version or an alias. A text without a colon is returned as it
// is, so the plain name of a function is its own name, and that in a partial ARN
// (123456789012:function:name) is found.
func Name(text string) string { return text[strings.LastIndex(text, ":")+1:] }

// WithName returns the ARN of the resource with another Name and the same rest: of an
// execution, that of another execution of the same state machine.
func WithName(text, name string) string { return strings.TrimSuffix(text, Name(text)) + name }

// Region returns the Region in an ARN; "" if there is none, or it is not made of small
// letters, digits and hyphens.
func Region(text string) string {
	a, _ := Parse(text)
	if strings.Trim(a.Region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return a.Region
}

// Machine returns the ARN of the state machine of an execution; "" if the ARN is not that of
// an execution.
func Machine(execution string) string {
	a, _ := Parse(execution)
	parts := strings.Split(a.Resource, ":")
	if a.Service != "states" || len(parts) != 3 || parts[0] != "execution" {
		return ""
	}
	a.Resource = "stateMachine:" + parts[1]
	return a.String()
}
