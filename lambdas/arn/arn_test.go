package arn_test

import (
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

const execution = "arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:machine:monday"

func TestParse(t *testing.T) {
	for text, want := range map[string]arn.ARN{
		execution: {"aws-us-gov", "states", "us-gov-west-1", "123456789012", "execution:machine:monday"},
		"arn:aws:lambda:eu-central-1:123456789012:function:f:live": {"aws", "lambda", "eu-central-1", "123456789012", "function:f:live"},
		"arn:aws:iam::123456789012:role/admin":                     {"aws", "iam", "", "123456789012", "role/admin"},
		"arn:aws:s3:::bucket":                                      {"aws", "s3", "", "", "bucket"},
	} {
		got, ok := arn.Parse(text)
		if !ok || got != want || got.String() != text {
			t.Errorf("%s: %+v, %t, %s", text, got, ok, got)
		}
	}
	for _, text := range []string{
		"", "f", "123456789012:function:f", "arn:aws:states:us-east-1:123456789012", "arn:aws:states:us-east-1:123456789012:",
		"arn::states:us-east-1:123456789012:x", "arn:aws::us-east-1:123456789012:x", "ARN:aws:states:us-east-1:123456789012:x",
	} {
		if got, ok := arn.Parse(text); ok || got != (arn.ARN{}) {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct{ text, name, renamed, region string }{
		{execution, "monday", "arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:machine:tuesday", "us-gov-west-1"},
		{"arn:aws:sns:eu-central-1:123456789012:team", "team", "arn:aws:sns:eu-central-1:123456789012:tuesday", "eu-central-1"},
		{"123456789012:function:f", "f", "123456789012:function:tuesday", ""},
		{"f", "f", "tuesday", ""},
		{"", "", "tuesday", ""},
		{"arn:aws:iam::123456789012:role/admin", "role/admin", "arn:aws:iam::123456789012:tuesday", ""},
		{"arn:aws:states:--profile x:1:execution:m:x", "x", "arn:aws:states:--profile x:1:execution:m:tuesday", ""},
		{"arn:aws:states:$(x):123456789012:execution:m:x", "x", "arn:aws:states:$(x):123456789012:execution:m:tuesday", ""},
		{"arn:aws:states:a$b:123456789012:execution:m:x", "x", "arn:aws:states:a$b:123456789012:execution:m:tuesday", ""},
	} {
		name, renamed, region := arn.Name(test.text), arn.WithName(test.text, "tuesday"), arn.Region(test.text)
		if name != test.name || renamed != test.renamed || region != test.region {
			t.Errorf("%q: name %q, renamed %q, Region %q", test.text, name, renamed, region)
		}
	}
}
