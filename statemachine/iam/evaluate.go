package iam

import (
	"fmt"
	"strings"
)

// Request is one call, as IAM sees it.
type Request struct {
	Action   string // "lambda:GetAlias"; its case does not count
	Resource string // an ARN, or "*" for an action that has no resources
	// Context has the condition keys that are known of the call, each with its values: none if it is known to be
	// absent. A key that ends in /*, such as "aws:ResourceTag/*", says so of all others that begin alike. A condition on
	// any other key can't be evaluated.
	Context map[string][]string
}

// Effect is what policies make of a request.
type Effect int

// The effects. What no statement allows is denied, and a statement that denies it wins over all that allow it.
const (
	ImplicitlyDenied Effect = iota
	Allowed
	ExplicitlyDenied
)

// Decision is an effect, and all permissions that it comes from: those that allow the request, or those that deny it.
type Decision struct {
	Effect Effect
	By     []Permission
}

// Evaluate decides on a request.
func (ps Policies) Evaluate(r Request) (Decision, error) {
	var d Decision
	action := strings.ToLower(r.Action)
	for _, p := range ps {
		for i := range p.Statements {
			s := &p.Statements[i]
			effect := Allowed
			if s.deny {
				effect = ExplicitlyDenied
			}
			by, err := s.covers(p.Name, i, action, r.Resource)
			if err == nil && len(by) == 0 {
				continue
			}
			met := false
			if err == nil {
				met, err = s.meets(r.Context)
			}
			if err != nil {
				return Decision{}, fmt.Errorf("statement %d of policy %s, asked for %s on %s: %w", i+1, p.Name, r.Action, r.Resource, err)
			}
			switch {
			case !met:
			case effect > d.Effect:
				d = Decision{effect, by}
			case effect == d.Effect:
				d.By = append(d.By, by...)
			}
		}
	}
	return d, nil
}

// covers gives the permissions of the statement that are about an action, in lower case, on a resource.
func (s *Statement) covers(policy string, i int, action, resource string) ([]Permission, error) {
	actions := matches(s.actions, s.notActions, action, matchText)
	if len(actions) == 0 {
		return nil, nil
	}
	for _, pattern := range s.resources {
		if matchResource(pattern, resource) != matchText(pattern, resource) {
			return nil, fmt.Errorf("whether %s is among %s depends on whether a wildcard goes beyond a colon, which AWS does not say plainly: end the pattern in *, or name the resource", resource, pattern)
		}
	}
	var by []Permission
	for _, at := range matches(s.resources, s.notResources, resource, matchResource) {
		for _, of := range actions {
			by = append(by, s.permission(policy, i, of, at))
		}
	}
	return by, nil
}

// matches gives the places of the patterns that match a text; with not, of all patterns if none does.
func matches(patterns []string, not bool, text string, match func(pattern, text string) bool) []int {
	var matched, all []int
	for i, pattern := range patterns {
		if not {
			all = append(all, i)
		}
		if match(pattern, text) {
			matched = append(matched, i)
		}
	}
	switch {
	case !not:
		return matched
	case len(matched) > 0:
		return nil
	}
	return all
}

// meets tells whether a request meets all conditions.
func (s *Statement) meets(context map[string][]string) (bool, error) {
	all := true
	for _, c := range s.conditions {
		met, err := c.met(context)
		if err != nil {
			return false, err
		}
		all = all && met
	}
	return all, nil
}
