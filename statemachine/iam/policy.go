package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Policies is a set of policies that apply together, such as all those of a role.
type Policies []Policy

// Policy is one policy document. [ParsePolicy] returns it.
type Policy struct {
	Name       string
	Statements []Statement
}

// Statement is one statement of a policy.
type Statement struct {
	deny         bool
	actions      []string // in lower case
	named        []string // the same actions as they are written
	notActions   bool     // all but these
	resources    []string
	notResources bool
	conditions   []condition
}

// Permission is the smallest part of a policy that can allow or deny a request: one action of a statement on one of its
// resources.
type Permission struct {
	Policy    string // the policy's name
	Statement int    // the statement's number, from 1
	Action    string // as it is written; with the prefix "not " for NotAction
	Resource  string // as it is written; with the prefix "not " for NotResource
}

// String returns the permission as "action on resource (statement 1 of policy name)".
func (p Permission) String() string {
	return fmt.Sprintf("%s on %s (statement %d of policy %s)", p.Action, p.Resource, p.Statement, p.Policy)
}

// Permissions returns all permissions of the statements that allow, in the order of the policies. It ignores statements
// that deny.
func (ps Policies) Permissions() []Permission {
	var all []Permission
	for _, p := range ps {
		for i, s := range p.Statements {
			if s.deny {
				continue
			}
			for action := range s.actions {
				for resource := range s.resources {
					all = append(all, s.permission(p.Name, i, action, resource))
				}
			}
		}
	}
	return all
}

// permission returns the permission for one action and one resource, given by their indices, of the statement with index
// i in its policy.
func (s *Statement) permission(policy string, i, action, resource int) Permission {
	p := Permission{policy, i + 1, s.named[action], s.resources[resource]}
	if s.notActions {
		p.Action = "not " + p.Action
	}
	if s.notResources {
		p.Resource = "not " + p.Resource
	}
	return p
}

// ParsePolicy reads an identity-based policy document, given as encoding/json decodes it into an any. The error lists
// everything in it that is wrong or not supported.
func ParsePolicy(name string, document any) (Policy, error) {
	p := Policy{Name: name}
	fields, err := object(document, "Version", "Id", "Statement")
	if err != nil {
		return p, fmt.Errorf("policy %s: %w", name, err)
	}
	var problems []error
	if version, ok := fields["Version"]; ok && version != "2012-10-17" && version != "2008-10-17" {
		problems = append(problems, fmt.Errorf("the Version is %v; use 2012-10-17 or 2008-10-17", version))
	}
	statements, ok := fields["Statement"].([]any)
	if !ok {
		statements = []any{fields["Statement"]} // a single statement may stand without a list
	}
	for i, given := range statements {
		s, err := parseStatement(given)
		if err != nil {
			problems = append(problems, fmt.Errorf("statement %d: %w", i+1, err))
		}
		p.Statements = append(p.Statements, s)
	}
	if err := errors.Join(problems...); err != nil {
		return p, fmt.Errorf("policy %s: %w", name, err)
	}
	return p, nil
}

// parseStatement reads one statement.
func parseStatement(given any) (Statement, error) {
	var s Statement
	fields, err := object(given, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return s, err
	}
	var problems []error
	switch fields["Effect"] {
	case "Allow":
	case "Deny":
		s.deny = true
	default:
		problems = append(problems, fmt.Errorf("the Effect is %v; use Allow or Deny", fields["Effect"]))
	}
	either := func(name string, check func(string) error) (values []string, not bool) {
		one, has := fields[name]
		other, hasNot := fields["Not"+name]
		if has == hasNot {
			problems = append(problems, fmt.Errorf("exactly one of %s and Not%s is required", name, name))
			return nil, false
		}
		if hasNot {
			one = other
		}
		values, err := texts(one)
		for _, value := range values {
			err = errors.Join(err, check(value))
		}
		problems = append(problems, err)
		return values, hasNot
	}
	s.named, s.notActions = either("Action", checkAction)
	for _, action := range s.named {
		s.actions = append(s.actions, strings.ToLower(action))
	}
	s.resources, s.notResources = either("Resource", checkResource)
	if block, ok := fields["Condition"]; ok {
		s.conditions, err = parseConditions(block)
		problems = append(problems, err)
	}
	return s, errors.Join(problems...)
}

// checkAction returns an error unless the text is * or has the form service:Action.
func checkAction(action string) error {
	service, name, ok := strings.Cut(action, ":")
	if action != "*" && (!ok || service == "" || name == "" || strings.ContainsAny(action, " ${}")) {
		return fmt.Errorf("%q is not an action; write it as service:Action", action)
	}
	return nil
}

// checkResource returns an error unless the text is * or an ARN that a Resource element may have.
func checkResource(resource string) error {
	parts := strings.SplitN(resource, ":", 6)
	switch {
	case resource == "*":
		return nil
	case len(parts) < 6 || parts[0] != "arn":
		return fmt.Errorf("%q is not an ARN with all six parts", resource)
	case strings.ContainsAny(parts[2], "*?"):
		return fmt.Errorf("%q has a wildcard in place of the service, which IAM does not accept", resource)
	}
	return checkVariables(resource)
}

// checkVariables returns an error if the text has a policy variable. None is supported.
func checkVariables(text string) error {
	if _, rest, ok := strings.Cut(text, "${"); ok {
		name, _, _ := strings.Cut(rest, "}")
		return fmt.Errorf("%q has the policy variable %q, which is not supported", text, name)
	}
	return nil
}

// object returns the fields of an object. It returns an error if the value is not an object or has other fields than the
// known ones.
func object(given any, known ...string) (map[string]any, error) {
	fields, ok := given.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("found %v; expected an object with %s", given, strings.Join(known, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("the field %s is not supported; use %s", name, strings.Join(known, ", "))
		}
	}
	return fields, nil
}

// texts reads one string or a list of strings. Booleans and numbers are read as their text, as conditions may have them.
func texts(given any) ([]string, error) {
	list, ok := given.([]any)
	if !ok {
		list = []any{given}
	}
	var all []string
	for _, one := range list {
		switch one := one.(type) {
		case string:
			all = append(all, one)
		case bool:
			all = append(all, strconv.FormatBool(one))
		case float64:
			all = append(all, strconv.FormatFloat(one, 'f', -1, 64))
		default:
			return nil, fmt.Errorf("found %v; expected a string", one)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("found an empty list; expected a string")
	}
	return all, nil
}
