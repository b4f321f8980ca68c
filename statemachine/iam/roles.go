package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role is an IAM role with all its policies.
type Role struct {
	Name     string
	Policies Policies
}

// RoleOf returns the role that a property of a resource names by its ARN, such as the property "Role" of a function. All
// policies of the role must be in the template: an AWS managed policy or a permissions boundary is an error, because its
// content is not known.
func (t *Template) RoleOf(id, property string) (Role, error) {
	role, err := t.roleOf(id, property)
	if err != nil {
		return role, fmt.Errorf("the role of %s: %w", id, err)
	}
	return role, nil
}

func (t *Template) roleOf(id, property string) (Role, error) {
	arn, err := t.Text(id, property)
	if err != nil {
		return Role{}, err
	}
	ids := t.OfType("AWS::IAM::Role")
	at := slices.IndexFunc(ids, func(role string) bool {
		own, err := t.ARN(role)
		return err == nil && own == arn
	})
	if at < 0 {
		return Role{}, fmt.Errorf("the template has no role %s", arn)
	}
	fields, err := object(t.resources[ids[at]].Properties, "AssumeRolePolicyDocument", "Description", "Path", "RoleName", "Tags", "MaxSessionDuration", "Policies")
	if err != nil {
		return Role{}, err
	}
	role := Role{}
	if role.Name, err = t.Name(ids[at]); err != nil {
		return role, err
	}
	inline, _ := fields["Policies"].([]any)
	var problems []error
	for _, one := range inline {
		problems = append(problems, t.add(&role, one, ""))
	}
	for _, kind := range []string{"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"} {
		for _, policy := range t.OfType(kind) {
			of, err := t.attached(policy)
			if err != nil {
				problems = append(problems, fmt.Errorf("the roles of %s: %w", policy, err))
			} else if slices.Contains(of, role.Name) {
				problems = append(problems, t.add(&role, t.resources[policy].Properties, t.resources[policy].Condition))
			}
		}
	}
	return role, errors.Join(problems...)
}

// attached returns the names of the roles to which a policy that is a resource of its own is attached.
func (t *Template) attached(policy string) ([]string, error) {
	var names []string
	for _, property := range []string{"Roles", "RoleName"} {
		if value := t.resources[policy].Properties[property]; value != nil {
			resolved, err := t.Resolve(value)
			if err != nil {
				return nil, err
			}
			some, err := texts(resolved)
			if err != nil {
				return nil, err
			}
			names = append(names, some...)
		}
	}
	return names, nil
}

// add parses a policy, given by its properties, and adds it to the role. condition is the policy's Condition in the
// template; any is an error.
func (t *Template) add(role *Role, policy any, condition string) error {
	fields, _ := policy.(map[string]any)
	name := "without a name"
	for _, property := range []string{"PolicyName", "ManagedPolicyName"} {
		if given, ok := fields[property].(string); ok {
			name = given
		}
	}
	if condition != "" {
		return fmt.Errorf("the policy %s depends on the condition %s, and conditions are not evaluated", name, condition)
	}
	document, err := t.Resolve(fields["PolicyDocument"])
	if err != nil {
		return fmt.Errorf("policy %s: %w", name, err)
	}
	parsed, err := ParsePolicy(name, document)
	role.Policies = append(role.Policies, parsed)
	return err
}

// Grants returns what the resource-based policies of the template's functions allow an AWS service, such as
// "events.amazonaws.com", to do: the resources of the type AWS::Lambda::Permission for that service, each as a policy of
// its own. A request by the service must have the condition keys aws:SourceArn and aws:SourceAccount.
func (t *Template) Grants(service string) (Policies, error) {
	var all Policies
	for _, id := range t.OfType("AWS::Lambda::Permission") {
		if condition := t.resources[id].Condition; condition != "" {
			return nil, fmt.Errorf("the permission %s depends on the condition %s, and conditions are not evaluated", id, condition)
		}
		given, err := t.Resolve(t.resources[id].Properties)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		fields, err := object(given, "Action", "FunctionName", "Principal", "SourceArn", "SourceAccount")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		if fields["Principal"] != service {
			continue
		}
		function, _ := fields["FunctionName"].(string)
		if !strings.HasPrefix(function, "arn:") {
			function = "arn:aws:lambda:" + t.place.Region + ":" + t.place.Account + ":function:" + function
		}
		conditions := map[string]any{}
		if source, ok := fields["SourceArn"]; ok {
			conditions["ArnLike"] = map[string]any{"aws:SourceArn": source}
		}
		if account, ok := fields["SourceAccount"]; ok {
			conditions["StringEquals"] = map[string]any{"aws:SourceAccount": account}
		}
		policy, err := ParsePolicy(id, map[string]any{"Statement": map[string]any{
			"Effect": "Allow", "Action": fields["Action"], "Resource": function, "Condition": conditions,
		}})
		if err != nil {
			return nil, err
		}
		all = append(all, policy)
	}
	return all, nil
}
