package iam

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var here = Place{Region: "eu-central-1", Account: "123456789012", Stack: "s"}

const stack = `{
  "Parameters": {"Key": {"Type": "String", "Default": "alias/k"}, "Ask": {"Type": "String"}},
  "Resources": {
    "F": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["R", "Arn"]}, "Environment": {"Variables": {"A": {"Fn::Sub": ["${x}/${T.TopicName}/${!y}/${Key}", {"x": {"Ref": "Q"}}]}}}}},
    "R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "Policies": [
      {"PolicyName": "Inline", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": "T"}}]}}]}},
    "P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "Attached", "Roles": [{"Ref": "R"}], "PolicyDocument": {"Statement": {
      "Effect": "Allow", "Action": "s3:Get*", "Resource": {"Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, "s3", "", "", {"Fn::Sub": "b-${AWS::Region}-${AWS::AccountId}"}]]}}}}},
    "Other": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "Other", "Roles": ["someone"], "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}},
    "T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "news"}},
    "Q": {"Type": "AWS::SQS::Queue"},
    "G": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "F"}, "Principal": "events.amazonaws.com", "SourceArn": {"Fn::GetAtt": "E.Arn"}}},
    "E": {"Type": "AWS::Events::Rule"},
    "D": {"Type": "AWS::DynamoDB::Table"}
  }
}`

func template(t *testing.T, text string) *Template {
	t.Helper()
	parsed, err := ParseTemplate([]byte(text), here)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestANameThatDependsOnItselfIsRefused(t *testing.T) {
	s := template(t, `{"Resources": {
		"F": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": {"Ref": "F"}}},
		"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Sub": "${Q.QueueName}"}}},
		"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["-", ["a", {"Fn::GetAtt": ["T", "TopicName"]}]]}}},
		"E": {"Type": "AWS::Events::Rule", "Properties": {"Name": {"Fn::Sub": "${R}-${R}"}}}, "R": {"Type": "AWS::IAM::Role"}}}`)
	for id, want := range map[string]string{"F": "the name of F depends on itself", "T": "the name of T depends on itself", "Q": "the name of Q depends on itself"} {
		if name, err := s.Name(id); err == nil || err.Error() != want {
			t.Errorf("%s: %q, %v", id, name, err)
		}
	}
	if name, err := s.Name("E"); name != "s-R-s-R" || err != nil {
		t.Errorf("a name that is used twice: %q, %v", name, err)
	}
}

func TestRolesAreRead(t *testing.T) {
	s := template(t, stack)
	s.Call("F", "mine")
	s.Call("T", "not this, as it has a name")
	role, err := s.RoleOf("F", "Role")
	if err != nil {
		t.Fatal(err)
	}
	want := []Permission{
		{"Inline", 1, "sns:Publish", "arn:aws:sns:eu-central-1:123456789012:news"},
		{"Attached", 1, "s3:Get*", "arn:aws:s3:::b-eu-central-1-123456789012"},
	}
	if diff := cmp.Diff(want, role.Policies.Permissions()); diff != "" || role.Name != "s-R" {
		t.Errorf("%s (-want +got): %s", role.Name, diff)
	}
	variable, err := s.Text("F", "Environment", "Variables", "A")
	if want := "https://sqs.eu-central-1.amazonaws.com/123456789012/s-Q/news/${y}/alias/k"; err != nil || variable != want {
		t.Errorf("%s, want %s: %v", variable, want, err)
	}
	if none, err := s.Property("F", "Environment", "Nothing", "There"); none != nil || err != nil {
		t.Errorf("%v, %v", none, err)
	}
}

func TestGrantsAreRead(t *testing.T) {
	grants, err := template(t, stack).Grants("events.amazonaws.com")
	if err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]Effect{"arn:aws:events:eu-central-1:123456789012:rule/s-E": Allowed, "arn:aws:events:eu-central-1:123456789012:rule/other": ImplicitlyDenied} {
		got, err := grants.Evaluate(Request{"lambda:InvokeFunction", "arn:aws:lambda:eu-central-1:123456789012:function:s-F", map[string][]string{"aws:SourceArn": {source}}})
		if err != nil || got.Effect != want {
			t.Errorf("%s: %v, %v", source, got, err)
		}
	}
	changed := strings.Replace(stack, `"G": {`, `"G": {"Condition": "C", `, 1)
	if some, err := template(t, changed).Grants("events.amazonaws.com"); err == nil || !strings.Contains(err.Error(), "the permission G depends on the condition C") {
		t.Errorf("on a condition: %v, %v", some, err)
	}
	if none, err := template(t, stack).Grants("s3.amazonaws.com"); len(none) > 0 || err != nil {
		t.Errorf("%v, %v", none, err)
	}
}

// TestWhatCannotBeReadIsAnError breaks the template in one place at a time.
func TestWhatCannotBeReadIsAnError(t *testing.T) {
	for _, test := range []struct{ name, from, to, want string }{
		{"a managed policy", `"AssumeRolePolicyDocument": {}`, `"AssumeRolePolicyDocument": {}, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/x"]`, "the field ManagedPolicyArns is not supported"},
		{"a boundary", `"AssumeRolePolicyDocument": {}`, `"AssumeRolePolicyDocument": {}, "PermissionsBoundary": "x"`, "the field PermissionsBoundary is not supported"},
		{"an intrinsic function", `"Resource": {"Ref": "T"}`, `"Resource": {"Fn::ImportValue": "x"}`, "the intrinsic function Fn::ImportValue"},
		{"a parameter", `"Resource": {"Ref": "T"}`, `"Resource": {"Ref": "Ask"}`, "the parameter Ask has no default"},
		{"a resource that is not there", `"Resource": {"Ref": "T"}`, `"Resource": {"Ref": "Nothing"}`, "no resource Nothing"},
		{"a resource of a kind that is not known", `"Resource": {"Ref": "T"}`, `"Resource": {"Fn::GetAtt": ["D", "Arn"]}`, "D, which is an AWS::DynamoDB::Table"},
		{"an attribute", `"Resource": {"Ref": "T"}`, `"Resource": {"Fn::GetAtt": ["F", "Version"]}`, "the attribute Version of F"},
		{"a role from elsewhere", `{"Fn::GetAtt": ["R", "Arn"]}`, `"arn:aws:iam::123456789012:role/x"`, "the template has no role arn:aws:iam::123456789012:role/x"},
		{"a policy on a condition", `{"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "Attached"`, `{"Type": "AWS::IAM::Policy", "Condition": "C", "Properties": {"PolicyName": "Attached"`, "the condition C"},
		{"a role that can't be resolved", `"Roles": ["someone"]`, `"Roles": [{"Fn::ImportValue": "x"}]`, "the roles of Other"},
	} {
		changed := strings.Replace(stack, test.from, test.to, 1)
		if changed == stack {
			t.Fatalf("%s: the template has no %s", test.name, test.from)
		}
		if _, err := template(t, changed).RoleOf("F", "Role"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	for _, text := range []string{`[]`, `{}`, `nonsense`} {
		if _, err := ParseTemplate([]byte(text), here); err == nil {
			t.Errorf("%s is a template", text)
		}
	}
}
