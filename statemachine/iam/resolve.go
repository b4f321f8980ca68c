package iam

import (
	"fmt"
	"strings"
)

// Resolve returns the value, as encoding/json decodes it, with all intrinsic functions inside it replaced by their
// results. It returns an error for functions, parameters and resources that are not supported.
func (t *Template) Resolve(value any) (any, error) {
	switch value := value.(type) {
	case []any:
		resolved := make([]any, len(value))
		for i := range value {
			var err error
			if resolved[i], err = t.Resolve(value[i]); err != nil {
				return nil, err
			}
		}
		return resolved, nil
	case map[string]any:
		resolved := map[string]any{}
		for name, inner := range value {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return t.call(name, inner)
			}
			var err error
			if resolved[name], err = t.Resolve(inner); err != nil {
				return nil, err
			}
		}
		return resolved, nil
	}
	return value, nil
}

// text resolves a value that must be a string.
func (t *Template) text(value any) (string, error) {
	resolved, err := t.Resolve(value)
	if err != nil {
		return "", err
	}
	text, ok := resolved.(string)
	if !ok {
		return "", fmt.Errorf("found %v; expected a string", resolved)
	}
	return text, nil
}

// call returns the result of an intrinsic function with the given arguments.
func (t *Template) call(function string, of any) (any, error) {
	switch function {
	case "Ref":
		if id, ok := of.(string); ok {
			return t.ref(id)
		}
	case "Fn::GetAtt":
		if path, ok := of.(string); ok {
			id, attribute, _ := strings.Cut(path, ".")
			return t.attribute(id, attribute)
		}
		if path, ok := of.([]any); ok && len(path) == 2 {
			id, _ := path[0].(string)
			attribute, _ := path[1].(string)
			return t.attribute(id, attribute)
		}
	case "Fn::Join":
		return t.join(of)
	case "Fn::Sub":
		return t.sub(of)
	case "Fn::Equals":
		return t.equals(of)
	case "Fn::If":
		return t.either(of)
	}
	return nil, fmt.Errorf("the intrinsic function %s of %v is not supported; use Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::If or Fn::Equals", function, of)
}

// ref returns the result of Ref for a pseudo parameter, a parameter or a resource.
func (t *Template) ref(id string) (any, error) {
	switch id {
	case "AWS::Partition":
		return "aws", nil
	case "AWS::Region":
		return t.place.Region, nil
	case "AWS::AccountId":
		return t.place.Account, nil
	case "AWS::StackName":
		return t.place.Stack, nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	}
	if p, ok := t.parameters[id]; ok {
		if p.Default == nil || p.Type != "String" && p.Type != "Number" {
			return nil, fmt.Errorf("the parameter %s has no default of type String or Number", id)
		}
		return p.Default, nil
	}
	switch kind := t.resources[id].Type; {
	case kinds[kind].refIsARN:
		return t.ARN(id)
	case kind == "AWS::SQS::Queue":
		name, err := t.Name(id)
		return "https://sqs." + t.place.Region + ".amazonaws.com/" + t.place.Account + "/" + name, err
	}
	return t.Name(id)
}

// attribute returns the result of Fn::GetAtt.
func (t *Template) attribute(id, attribute string) (any, error) {
	kind := t.resources[id].Type
	switch {
	case attribute == "Arn":
		return t.ARN(id)
	case kind == "AWS::SNS::Topic" && attribute == "TopicArn":
		return t.ARN(id)
	case kind == "AWS::SNS::Topic" && attribute == "TopicName", kind == "AWS::SQS::Queue" && attribute == "QueueName":
		return t.Name(id)
	}
	return nil, fmt.Errorf("the attribute %s of %s is not supported", attribute, id)
}

// join returns the result of Fn::Join, whose arguments are a delimiter and a list of strings.
func (t *Template) join(of any) (any, error) {
	arguments, _ := of.([]any)
	if len(arguments) != 2 {
		return nil, fmt.Errorf("Fn::Join takes a delimiter and a list, not %v", of)
	}
	delimiter, ok := arguments[0].(string)
	list, isList := arguments[1].([]any)
	if !ok || !isList {
		return nil, fmt.Errorf("Fn::Join takes a delimiter and a list, not %v", of)
	}
	var parts []string
	for _, one := range list {
		part, err := t.text(one)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, delimiter), nil
}

// sub returns the result of Fn::Sub, whose argument is a string, or a list of a string and a map of values for its names.
func (t *Template) sub(of any) (any, error) {
	var own map[string]any
	if arguments, ok := of.([]any); ok && len(arguments) == 2 {
		of = arguments[0]
		own, _ = arguments[1].(map[string]any)
	}
	rest, ok := of.(string)
	if !ok {
		return nil, fmt.Errorf("Fn::Sub takes a string, not %v", of)
	}
	var text strings.Builder
	for {
		before, after, found := strings.Cut(rest, "${")
		text.WriteString(before)
		if !found {
			return text.String(), nil
		}
		name, after, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("Fn::Sub: a ${ without } in %q", of)
		}
		rest = after
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			text.WriteString("${" + literal + "}")
			continue
		}
		value, err := t.named(name, own)
		if err != nil {
			return nil, err
		}
		text.WriteString(value)
	}
}

// named returns the value of a name in ${ }, which may be one of the function's own values, a resource or an attribute.
func (t *Template) named(name string, own map[string]any) (string, error) {
	if value, ok := own[name]; ok {
		return t.text(value)
	}
	if id, attribute, ok := strings.Cut(name, "."); ok {
		return t.text(map[string]any{"Fn::GetAtt": []any{id, attribute}})
	}
	return t.text(map[string]any{"Ref": name})
}
