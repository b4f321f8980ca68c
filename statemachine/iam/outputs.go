package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Output is an output of a deployed template.
type Output struct {
	Key, Value, Description string
	Export                  string // the name under which other stacks import it; empty for none
}

// output is a template's output.
type output struct {
	Condition   string
	Description string
	Value       any
	Export      struct{ Name any }
}

// Outputs returns the outputs that the deployed template has, by key: those with a condition
// that does not hold are left out. It also leaves out those that can't be resolved, and
// returns an error that says why.
func (t *Template) Outputs() ([]Output, error) {
	var all []Output
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(t.outputs)) {
		switch out, is, err := t.output(key); {
		case err != nil:
			problems = append(problems, fmt.Errorf("output %s: %w", key, err))
		case is:
			all = append(all, out)
		}
	}
	return all, errors.Join(problems...)
}

// output returns an output; false if its condition does not hold.
func (t *Template) output(key string) (Output, bool, error) {
	o := t.outputs[key]
	if o.Condition != "" {
		if holds, err := t.holds(o.Condition); err != nil || !holds {
			return Output{}, false, err
		}
	}
	out := Output{Key: key, Description: o.Description}
	var err error
	if out.Value, err = t.text(o.Value); err == nil && o.Export.Name != nil {
		out.Export, err = t.text(o.Export.Name)
	}
	return out, true, err
}

// holds reports whether a condition holds.
func (t *Template) holds(condition string) (bool, error) {
	value, ok := t.conditions[condition]
	within := *t
	within.naming = append(slices.Clone(t.naming), "condition "+condition)
	switch {
	case !ok:
		return false, fmt.Errorf("the template has no condition %s", condition)
	case slices.Contains(t.naming, "condition "+condition):
		return false, fmt.Errorf("the condition %s depends on itself", condition)
	}
	resolved, err := within.Resolve(value)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", condition, err)
	}
	holds, ok := resolved.(bool)
	if !ok {
		return false, fmt.Errorf("condition %s is %v; expected true or false", condition, resolved)
	}
	return holds, nil
}

// equals returns the result of Fn::Equals, whose arguments are two values.
func (t *Template) equals(of any) (any, error) {
	arguments, _ := of.([]any)
	if len(arguments) != 2 {
		return nil, fmt.Errorf("Fn::Equals takes two values, not %v", of)
	}
	a, err := t.text(arguments[0])
	if err != nil {
		return nil, err
	}
	b, err := t.text(arguments[1])
	return a == b, err
}

// either returns the result of Fn::If, whose arguments are a condition and two values.
func (t *Template) either(of any) (any, error) {
	arguments, _ := of.([]any)
	if len(arguments) != 3 {
		return nil, fmt.Errorf("Fn::If takes a condition and two values, not %v", of)
	}
	condition, _ := arguments[0].(string)
	holds, err := t.holds(condition)
	if err != nil {
		return nil, err
	}
	if holds {
		return t.Resolve(arguments[1])
	}
	return t.Resolve(arguments[2])
}
