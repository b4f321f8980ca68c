package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Place is where a template is deployed to, in thought.
type Place struct {
	Region, Account string
	Stack           string // its name begins those that CloudFormation makes up
}

// Template is a CloudFormation template, as the CDK writes it. What of it can't be resolved here (conditions, parameters
// without a default, other intrinsic functions) is an error only for who asks for it.
type Template struct {
	place      Place
	parameters map[string]parameter
	resources  map[string]resource
	names      map[string]string // given by Call, by logical id
	naming     []string          // logical ids whose names are being resolved, each for the one before it
}

type parameter struct {
	Type    string
	Default any
}

type resource struct {
	Type       string
	Condition  string
	Properties map[string]any
}

// ParseTemplate reads a template from JSON.
func ParseTemplate(data []byte, at Place) (*Template, error) {
	var file struct {
		Parameters map[string]parameter
		Resources  map[string]resource
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("the template is not JSON, as cdk synth writes it to *.template.json: %w", err)
	}
	if len(file.Resources) == 0 {
		return nil, errors.New("the template has no Resources: give a CloudFormation template, such as *.template.json of cdk synth")
	}
	return &Template{place: at, parameters: file.Parameters, resources: file.Resources, names: map[string]string{}}, nil
}

// OfType gives the logical ids of all resources of a type, sorted.
func (t *Template) OfType(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if t.resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Call gives a resource a name in place of that which CloudFormation would make up. One that the template gives stays.
func (t *Template) Call(id, name string) { t.names[id] = name }

// kinds are the types of resources that others name here: the property with the name, the ARN with that in place of %,
// and whether Ref gives the ARN or the name.
var kinds = map[string]struct {
	name, arn string
	refIsARN  bool
}{
	"AWS::Lambda::Function":            {"FunctionName", "arn:aws:lambda:REGION:ACCOUNT:function:%", false},
	"AWS::StepFunctions::StateMachine": {"StateMachineName", "arn:aws:states:REGION:ACCOUNT:stateMachine:%", true},
	"AWS::Logs::LogGroup":              {"LogGroupName", "arn:aws:logs:REGION:ACCOUNT:log-group:%:*", false},
	"AWS::SNS::Topic":                  {"TopicName", "arn:aws:sns:REGION:ACCOUNT:%", true},
	"AWS::SQS::Queue":                  {"QueueName", "arn:aws:sqs:REGION:ACCOUNT:%", false},
	"AWS::Events::Rule":                {"Name", "arn:aws:events:REGION:ACCOUNT:rule/%", false},
	"AWS::IAM::Role":                   {"RoleName", "arn:aws:iam::ACCOUNT:role/%", false},
	"AWS::KMS::Key":                    {"", "arn:aws:kms:REGION:ACCOUNT:key/%", false},
}

// Name gives the name that a resource has once it is deployed.
func (t *Template) Name(id string) (string, error) {
	r, ok := t.resources[id]
	kind, known := kinds[r.Type]
	switch {
	case !ok:
		return "", fmt.Errorf("the template has no resource %s", id)
	case !known:
		return "", fmt.Errorf("the name of %s, which is an %s, is not known here", id, r.Type)
	case r.Condition != "":
		return "", fmt.Errorf("whether there is a resource %s depends on the condition %s, and conditions are not evaluated here", id, r.Condition)
	case slices.Contains(t.naming, id):
		return "", fmt.Errorf("the name of %s depends on itself", id)
	case kind.name != "" && r.Properties[kind.name] != nil:
		within := *t
		within.naming = append(slices.Clip(t.naming), id)
		return within.text(r.Properties[kind.name])
	case t.names[id] != "":
		return t.names[id], nil
	}
	return t.place.Stack + "-" + id, nil
}

// ARN gives a resource's.
func (t *Template) ARN(id string) (string, error) {
	name, err := t.Name(id)
	arn := strings.NewReplacer("REGION", t.place.Region, "ACCOUNT", t.place.Account, "%", name).Replace(kinds[t.resources[id].Type].arn)
	return arn, err
}

// Property gives what a resource has at a path of properties, with all references in it resolved; nil if there is none.
func (t *Template) Property(id string, path ...string) (any, error) {
	var value any = t.resources[id].Properties
	for _, name := range path {
		fields, _ := value.(map[string]any)
		value = fields[name]
	}
	resolved, err := t.Resolve(value)
	if err != nil {
		err = fmt.Errorf("%s of %s: %w", strings.Join(path, "."), id, err)
	}
	return resolved, err
}

// Text is Property for a text; "" if there is none.
func (t *Template) Text(id string, path ...string) (string, error) {
	value, err := t.Property(id, path...)
	if err != nil || value == nil {
		return "", err
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s of %s is %v, and should be a text", strings.Join(path, "."), id, value)
	}
	return text, nil
}
