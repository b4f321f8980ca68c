package iam

import (
	"encoding/json"
	"strings"
	"testing"
)

// policy returns a policy with statements given as JSON.
func policy(t testing.TB, statements string) Policies {
	t.Helper()
	p, err := parse(statements)
	if err != nil {
		t.Fatal(err)
	}
	return Policies{p}
}

func parse(statements string) (Policy, error) {
	var document any
	if err := json.Unmarshal([]byte(`{"Version": "2012-10-17", "Statement": `+statements+`}`), &document); err != nil {
		return Policy{}, err
	}
	return ParsePolicy("p", document)
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	for _, test := range []struct{ name, statements, want string }{
		{"a field", `{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Principal": "*"}`, "the field Principal is not supported"},
		{"an effect", `{"Effect": "allow", "Action": "s3:Get*", "Resource": "*"}`, "the Effect is allow; use Allow or Deny"},
		{"no action", `{"Effect": "Allow", "Resource": "*"}`, "exactly one of Action and NotAction is required"},
		{"both resources", `{"Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "*"}`, "exactly one of Resource and NotResource"},
		{"no list", `{"Effect": "Allow", "Action": [], "Resource": "*"}`, "an empty list"},
		{"no action's name", `{"Effect": "Allow", "Action": "GetAlias", "Resource": "*"}`, `"GetAlias" is not an action`},
		{"part of an ARN", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:*"}`, "not an ARN with all six parts"},
		{"a wildcard for the service", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:*:eu-central-1:1:x"}`, "in place of the service"},
		{"a variable in a resource", `{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}"}`, `the policy variable "aws:username"`},
		{"a variable in a condition", `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"k": "${aws:userid}"}}}`, `the policy variable "aws:userid"`},
		{"an operator", `{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}`, "IpAddress of aws:SourceIp: the operator is not supported"},
		{"a truth", `{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "no"}}}`, `"no" is neither true nor false`},
		{"an ARN to be like", `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "*"}}}`, `"*" is not an ARN`},
		{"no object", `"all"`, "found all; expected an object"},
	} {
		if _, err := parse(test.statements); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := ParsePolicy("p", map[string]any{"Version": "2026-01-01", "Statement": []any{}}); err == nil || !strings.Contains(err.Error(), "the Version is 2026-01-01") {
		t.Errorf("another version: %v", err)
	}
}

func TestPatterns(t *testing.T) {
	const function = "arn:aws:lambda:eu-central-1:1:function:"
	for _, test := range []struct {
		match         func(pattern, text string) bool
		pattern, text string
		want          bool
	}{
		{matchResource, "*", function + "f", true},
		{matchResource, function + "f", function + "f", true},
		{matchResource, function + "f", function + "F", false},
		{matchResource, function + "f", function + "f:7", false},
		{matchResource, function + "*", function + "f:7", true},
		{matchResource, function + "f?", function + "f7", true},
		{matchResource, function + "f?7", function + "f:7", false},
		{matchResource, function + "f*", function + "f:7", true},
		{matchResource, function + "f*x", function + "f:7x", false}, // within its segment
		{matchResource, function + "f*:7", function + "f-a:7", true},
		{matchResource, "arn:aws:lambda:*:*:function:f", "arn:aws:lambda:eu-central-1:1:function:f", true},
		{matchResource, "arn:aws:s3:::b/*/c", "arn:aws:s3:::b/x/y/c", true},
		{matchResource, "arn:aws:ssm:eu-central-1:1:parameter/lambda-rollout/*", "arn:aws:ssm:eu-central-1:1:parameter/lambda-rollout/a/b", true},
		{matchResource, "arn:aws:ssm:eu-central-1:1:parameter/lambda-rollout/*", "arn:aws:ssm:eu-central-1:1:parameter/other", false},
		{matchARN, "arn:aws:sns:*:*:x", "arn:aws:sns:eu-central-1:1:x", true},
		{matchARN, "arn:aws:sns:*:x", "arn:aws:sns:eu-central-1:1:x", false},
		{matchARN, "arn:aws:lambda:eu-central-1:*:function:*", function + "f:7", true},
		{matchARN, "arn:aws:*:*:*:*", "nothing", false},
		{matchText, "lambda:get*", "lambda:getalias", true},
		{matchText, "lambda:*alias", "lambda:getaliases", false},
		{matchText, "a?c", "ac", false},
		{matchText, "", "", true},
	} {
		if got := test.match(test.pattern, test.text); got != test.want {
			t.Errorf("%s and %s: %t", test.pattern, test.text, got)
		}
	}
}
