package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOutputs(t *testing.T) {
	s := template(t, `{
		"Resources": {"F": {"Type": "AWS::Lambda::Function"}, "T": {"Type": "AWS::SNS::Topic"}},
		"Parameters": {"Word": {"Type": "String", "Default": "yes"}},
		"Conditions": {
			"Own": {"Fn::Equals": [{"Ref": "AWS::StackName"}, "s"]}, "Not": {"Fn::Equals": [{"Ref": "Word"}, "no"]},
			"Again": {"Fn::Equals": [{"Fn::If": ["Again", "a", "b"]}, "a"]}, "Text": "true"
		},
		"Outputs": {
			"Topic": {"Value": {"Ref": "T"}, "Description": "what <to> subscribe to", "Export": {"Name": {"Fn::If": ["Own", "own", {"Ref": "Nothing"}]}}},
			"Other": {"Condition": "Own", "Value": {"Fn::If": ["Not", "x", {"Fn::Sub": "${AWS::StackName}-y"}]}},
			"Left": {"Condition": "Not", "Value": {"Fn::ImportValue": "x"}},
			"Unknown": {"Value": {"Fn::ImportValue": "x"}}, "Missing": {"Condition": "Missing", "Value": "x"}, "Loop": {"Condition": "Again", "Value": "x"},
			"NoBool": {"Condition": "Text", "Value": "x"}, "Number": {"Value": 3}, "Few": {"Value": {"Fn::If": ["Own", "x"]}}, "Fewer": {"Value": {"Fn::Equals": ["x"]}}
		}}`)
	got, err := s.Outputs()
	want := []Output{{Key: "Other", Value: "s-y"}, {Key: "Topic", Value: "arn:aws:sns:eu-central-1:123456789012:s-T", Description: "what <to> subscribe to", Export: "own"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	const problems = `output Few: Fn::If takes a condition and two values, not [Own x]
output Fewer: Fn::Equals takes two values, not [x]
output Loop: condition Again: the condition Again depends on itself
output Missing: the template has no condition Missing
output NoBool: condition Text is true; expected true or false
output Number: found 3; expected a string
output Unknown: the intrinsic function Fn::ImportValue of x is not supported; use Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::If or Fn::Equals`
	if err == nil || err.Error() != problems {
		t.Errorf("left out because of\n%v\nwant\n%s", err, problems)
	}
}
