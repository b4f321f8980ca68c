package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Policies are all that a role has.
type Policies []Policy

// Policy is one policy document.
type Policy struct {
	Name       string
	Statements []Statement
}

// Statement is one statement of a policy. It is made by [ParsePolicy].
type Statement struct {
	deny         bool
	actions      []string // in lower case
	named        []string // the same as they are written
	notActions   bool     // all but these
	resources    []string
	notResources bool
	conditions   []condition
}

// Permission is the smallest part of a policy that lets anything through: one action of a statement on one of its resources.
type Permission struct {
	Policy    string // its name
	Statement int    // counted from 1
	Action    string // as it is written; behind "not " for NotAction
	Resource  string
}

func (p Permission) String() string {
	return fmt.Sprintf("%s on %s (statement %d of policy %s)", p.Action, p.Resource, p.Statement, p.Policy)
}

// Permissions are all that the policies allow, in their order. What else they deny is not looked at.
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

// ParsePolicy reads an identity-based policy, which is given as encoding/json decodes it into an any. The error names all
// that is wrong with it, or not known here.
func ParsePolicy(name string, document any) (Policy, error) {
	p := Policy{Name: name}
	fields, err := object(document, "Version", "Id", "Statement")
	if err != nil {
		return p, fmt.Errorf("policy %s: %w", name, err)
	}
	var problems []error
	if version, ok := fields["Version"]; ok && version != "2012-10-17" && version != "2008-10-17" {
		problems = append(problems, fmt.Errorf("the Version is %v: there are 2012-10-17 and 2008-10-17", version))
	}
	statements, ok := fields["Statement"].([]any)
	if !ok {
		statements = []any{fields["Statement"]} // one need not be in a list
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
		problems = append(problems, fmt.Errorf("the Effect is %v: there are Allow and Deny", fields["Effect"]))
	}
	either := func(name string, check func(string) error) (values []string, not bool) {
		one, has := fields[name]
		other, hasNot := fields["Not"+name]
		if has == hasNot {
			problems = append(problems, fmt.Errorf("there must be either %s or Not%s", name, name))
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

func checkAction(action string) error {
	service, name, ok := strings.Cut(action, ":")
	if action != "*" && (!ok || service == "" || name == "" || strings.ContainsAny(action, " ${}")) {
		return fmt.Errorf("%q is no action: give it as service:Action", action)
	}
	return nil
}

func checkResource(resource string) error {
	parts := strings.SplitN(resource, ":", 6)
	switch {
	case resource == "*":
		return nil
	case len(parts) < 6 || parts[0] != "arn":
		return fmt.Errorf("%q is no ARN with all its six parts", resource)
	case strings.ContainsAny(parts[2], "*?"):
		return fmt.Errorf("%q has a wildcard in place of the service, which IAM does not take", resource)
	}
	return checkVariables(resource)
}

// checkVariables refuses policy variables: none is known here.
func checkVariables(text string) error {
	if _, rest, ok := strings.Cut(text, "${"); ok {
		name, _, _ := strings.Cut(rest, "}")
		return fmt.Errorf("%q has the policy variable %q, which is not known here", text, name)
	}
	return nil
}

// object takes an object apart that has no other fields than these.
func object(given any, known ...string) (map[string]any, error) {
	fields, ok := given.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("there is %v where an object with %s is expected", given, strings.Join(known, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("the field %s is not known; known are %s", name, strings.Join(known, ", "))
		}
	}
	return fields, nil
}

// texts reads one text or a list of them. Booleans and numbers stand for their text, as they may in conditions.
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
			return nil, fmt.Errorf("there is %v where a text is expected", one)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is an empty list where a text is expected")
	}
	return all, nil
}
