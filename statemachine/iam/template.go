package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Place is where a template is assumed to be deployed.
type Place struct {
	Region, Account string
	Stack           string // the stack's name; the names that CloudFormation generates begin with it
}

// Template is a CloudFormation template as the CDK writes it. Parts of it that can't be resolved (resources with a
// condition, parameters without a default, other intrinsic functions) are an error only when they are read.
type Template struct {
	place      Place
	parameters map[string]parameter
	resources  map[string]resource
	conditions map[string]any
	outputs    map[string]output
	names      map[string]string // set by Call, by logical id
	naming     []string          // logical ids and conditions that are being resolved, each for the one before it
}

// parameter is a template's parameter.
type parameter struct {
	Type    string
	Default any
}

// resource is a template's resource.
type resource struct {
	Type       string
	Condition  string
	Properties map[string]any
}

// ParseTemplate reads a template from its JSON text, as deployed at the given place.
func ParseTemplate(data []byte, at Place) (*Template, error) {
	var file struct {
		Parameters map[string]parameter
		Resources  map[string]resource
		Conditions map[string]any
		Outputs    map[string]output
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("the template is not JSON; give the *.template.json that cdk synth writes: %w", err)
	}
	if len(file.Resources) == 0 {
		return nil, errors.New("the template has no Resources; give a CloudFormation template, such as the *.template.json that cdk synth writes")
	}
	return &Template{
		place: at, parameters: file.Parameters, resources: file.Resources, conditions: file.Conditions, outputs: file.Outputs, names: map[string]string{},
	}, nil
}

// OfType returns the logical ids of all resources of a type, such as "AWS::Lambda::Function", sorted.
func (t *Template) OfType(kind string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(t.resources)) {
		if t.resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// Types returns the types of all resources, by logical id.
func (t *Template) Types() map[string]string {
	all := map[string]string{}
	for id, r := range t.resources {
		all[id] = r.Type
	}
	return all
}

// Call sets the name of a resource that CloudFormation would otherwise generate. A name in the template takes precedence.
func (t *Template) Call(id, name string) { t.names[id] = name }

// kinds maps the supported types of resources to the property that has their name, to their ARN with % for the name, and
// to whether Ref returns the ARN or the name.
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

// Name returns the name that a resource has once it is deployed: its own, the one set by Call, or stack-id. It returns an
// error for unknown ids and unsupported types.
func (t *Template) Name(id string) (string, error) {
	r, ok := t.resources[id]
	kind, known := kinds[r.Type]
	switch {
	case !ok:
		return "", fmt.Errorf("the template has no resource %s", id)
	case !known:
		return "", fmt.Errorf("the name of %s, which is an %s, is not supported", id, r.Type)
	case r.Condition != "":
		return "", fmt.Errorf("the resource %s depends on the condition %s, and conditions are not evaluated", id, r.Condition)
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

// ARN returns a resource's ARN. Its errors are those of Name.
func (t *Template) ARN(id string) (string, error) {
	name, err := t.Name(id)
	arn := strings.NewReplacer("REGION", t.place.Region, "ACCOUNT", t.place.Account, "%", name).Replace(kinds[t.resources[id].Type].arn)
	return arn, err
}

// Property returns the value at a path of a resource's properties, with all references in it resolved; nil if there is
// none.
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

// Text returns the string at a path of a resource's properties; "" if there is none. A value of another type is an error.
func (t *Template) Text(id string, path ...string) (string, error) {
	value, err := t.Property(id, path...)
	if err != nil || value == nil {
		return "", err
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%s of %s is %v; it must be a string", strings.Join(path, "."), id, value)
	}
	return text, nil
}
