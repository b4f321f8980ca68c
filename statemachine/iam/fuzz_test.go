package iam

import (
	"encoding/json"
	"testing"
)

// FuzzPolicy: a policy is refused, or decides on any request; what it decides
// comes from permissions that it has.
func FuzzPolicy(f *testing.F) {
	const function = "arn:aws:lambda:eu-central-1:1:function:f"
	for _, statements := range []string{
		`{"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"}`,
		`[{"Effect": "Deny", "NotAction": ["s3:*", "lambda:?etAlias"], "NotResource": "arn:aws:lambda:*:*:function:f*:7"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}]`,
		`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:ResourceTag/a": ["b", 1, true]}, "ForAnyValue:StringLike": {"k": "*b?"}, "Null": {"k": "true"}}}`,
		`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ArnLike": {"k": "arn:aws:events:*:1:rule/*"}, "Bool": {"k": false}, "StringNotEquals": {"k": "b"}}}`,
	} {
		f.Add([]byte(`{"Version": "2012-10-17", "Statement": `+statements+`}`), "lambda:GetAlias", function, "b")
	}
	f.Add([]byte(`{"Statement": null}`), "", "*", "")
	f.Fuzz(func(t *testing.T, document []byte, action, resource, value string) {
		var given any
		if json.Unmarshal(document, &given) != nil {
			return
		}
		p, err := ParsePolicy("p", given)
		if err != nil {
			return
		}
		decision, err := Policies{p}.Evaluate(Request{Action: action, Resource: resource, Context: map[string][]string{"k": {value}, "aws:ResourceTag/*": nil}})
		if err != nil {
			return
		}
		if (decision.Effect == ImplicitlyDenied) != (len(decision.By) == 0) {
			t.Errorf("%v by %v", decision.Effect, decision.By)
		}
		if decision.Effect != Allowed {
			return
		}
		has := map[Permission]bool{}
		for _, permission := range (Policies{p}).Permissions() {
			has[permission] = true
		}
		for _, permission := range decision.By {
			if !has[permission] {
				t.Errorf("it allows by %v, which it has not", permission)
			}
		}
	})
}

// FuzzTemplate: all that can be asked of a template is answered or refused.
func FuzzTemplate(f *testing.F) {
	f.Add([]byte(stack))
	for _, text := range []string{
		`{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": {"Fn::Sub": "${P}-x"}, "Role": "r"}}}, "Parameters": {"P": {"Type": "Number", "Default": 1}}}`,
		`{"Resources": {"R": {"Type": "AWS::IAM::Role", "Condition": "C", "Properties": {"RoleName": {"Fn::Join": ["", [{"Ref": "AWS::StackName"}, "${"]]}}}}}`,
		`{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": {"Ref": "F"}}}}}`,
		`{"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${Q.QueueName}"}}}, "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["", ["a", {"Fn::GetAtt": ["T", "TopicName"]}]]}}}}}`,
		`{"Resources": {"K": {"Type": "AWS::KMS::Key", "Properties": {"": {"Ref": "K"}}}}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseTemplate(text, here)
		if err != nil {
			return
		}
		for id, r := range s.resources {
			_, _ = s.ARN(id)
			_, _ = s.Property(id)
			_, _ = s.RoleOf(id, "Role")
			if name, err := s.Name(id); err == nil && name == "" && r.Properties[kinds[r.Type].name] == nil {
				t.Errorf("%s has no name", id)
			}
		}
		_, _ = s.Grants("events.amazonaws.com")
	})
}
