package iam

import (
	"fmt"
	"strings"
)

// Request is one call as IAM sees it.
type Request struct {
	Action   string // such as "lambda:GetAlias"; case is ignored
	Resource string // an ARN, or "*" for an action that has no resources
	// Context maps the condition keys that are known for the call to their values: none if the key is known to be
	// absent. A key that ends in /*, such as "aws:ResourceTag/*", stands for all others with the same prefix. A
	// condition on any other key can't be evaluated.
	Context map[string][]string
}

// Effect is the result of evaluating a request.
type Effect int

// The effects. A request that no statement allows is denied; a statement that denies it overrides all that allow it.
const (
	ImplicitlyDenied Effect = iota
	Allowed
	ExplicitlyDenied
)

// Decision is an effect and the permissions that cause it: all that allow the request, or all that deny it.
type Decision struct {
	Effect Effect
	By     []Permission // empty if the effect is ImplicitlyDenied
}

// Evaluate decides on a request. It returns an error if a condition on the request can't be evaluated (see
// [Request].Context), or if the result depends on how far a wildcard reaches, which AWS does not document clearly.
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
				return Decision{}, fmt.Errorf("statement %d of policy %s, for %s on %s: %w", i+1, p.Name, r.Action, r.Resource, err)
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

// covers returns the statement's permissions that match an action, in lower case, on a resource. i is the statement's
// index in its policy.
func (s *Statement) covers(policy string, i int, action, resource string) ([]Permission, error) {
	actions := matches(s.actions, s.notActions, action, matchText)
	if len(actions) == 0 {
		return nil, nil
	}
	for _, pattern := range s.resources {
		if matchResource(pattern, resource) != matchText(pattern, resource) {
			return nil, fmt.Errorf("whether %s matches %s depends on whether a wildcard matches a colon, which AWS does not document clearly; end the pattern in *, or name the resource", resource, pattern)
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

// matches returns the indices of the patterns that match a text; with not, of all patterns if none matches.
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

// meets reports whether a request with these condition keys meets all conditions.
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
