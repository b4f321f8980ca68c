package cloudformation

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Template describes what a stack should be. In properties, {"Ref": ID} stands for another resource's physical ID, and
// {"Fn::GetAtt": [ID, name]} for one of its attributes; other functions are not supported.
type Template struct {
	Resources map[string]Resource
}

// Resource is a resource of a template.
type Resource struct {
	Type       string
	Properties map[string]any
	DependsOn  []string // beside the resources that its properties refer to
	// DeletionPolicy is for a resource that is removed from the template or with the stack, UpdateReplacePolicy for one that
	// another one replaces: Delete (also if empty) or Retain.
	DeletionPolicy, UpdateReplacePolicy string
}

// checked returns a copy of the template whose properties are as encoding/json reads them, or an error for what is not
// supported.
func (t Template) checked() (Template, error) {
	document, err := json.Marshal(t)
	if err != nil {
		return t, fmt.Errorf("the template is no JSON: %w", err)
	}
	t = Template{}
	if err := json.Unmarshal(document, &t); err != nil {
		return t, err
	}
	for id, r := range t.Resources {
		if _, ok := kindOf(r.Type); !ok {
			return t, fmt.Errorf("resource %s has the type %s, which is not supported", id, r.Type)
		}
		for _, policy := range []string{r.DeletionPolicy, r.UpdateReplacePolicy} {
			if policy != "" && policy != "Delete" && policy != "Retain" {
				return t, fmt.Errorf("resource %s has the policy %s, which is not supported", id, policy)
			}
		}
		for _, other := range r.dependencies() {
			if _, ok := t.Resources[other]; !ok {
				return t, fmt.Errorf("resource %s depends on %s, which is not supported or not in the template", id, other)
			}
		}
	}
	return t, t.acyclic()
}

// acyclic returns an error if resources depend on each other.
func (t Template) acyclic() error {
	left := maps.Clone(t.Resources)
	for len(left) > 0 {
		before := len(left)
		for id, r := range left {
			if !slices.ContainsFunc(r.dependencies(), func(other string) bool { _, waits := left[other]; return waits }) {
				delete(left, id)
			}
		}
		if len(left) == before {
			return fmt.Errorf("circular dependency between resources: %v", slices.Sorted(maps.Keys(left)))
		}
	}
	return nil
}

// dependencies returns the logical IDs of the resources that must be there first, sorted.
func (r Resource) dependencies() []string {
	all := slices.Clone(r.DependsOn)
	_, err := replace(r.Properties, func(id, _ string) (any, error) {
		all = append(all, id)
		return nil, nil
	})
	if err != nil {
		all = append(all, err.Error()) // no resource has such an ID
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// replace returns a copy of a value in which references are replaced. The attribute of a Ref is "".
func replace(value any, by func(id, attribute string) (any, error)) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		if id, ok := v["Ref"].(string); ok && len(v) == 1 {
			return by(id, "")
		}
		if parts, ok := v["Fn::GetAtt"].([]any); ok && len(v) == 1 && len(parts) == 2 {
			return by(fmt.Sprint(parts[0]), fmt.Sprint(parts[1]))
		}
		replaced := map[string]any{}
		for key, inner := range v {
			if strings.HasPrefix(key, "Fn::") || key == "Ref" {
				return nil, fmt.Errorf("the function %s", key)
			}
			var err error
			if replaced[key], err = replace(inner, by); err != nil {
				return nil, err
			}
		}
		return replaced, nil
	case []any:
		replaced := make([]any, len(v))
		for i, inner := range v {
			var err error
			if replaced[i], err = replace(inner, by); err != nil {
				return nil, err
			}
		}
		return replaced, nil
	}
	return value, nil
}

// resolve returns the resource's properties with the values of references, given the resources that are there.
func (r Resource) resolve(there map[string]*instance) (map[string]any, error) {
	properties, err := replace(r.Properties, func(id, attribute string) (any, error) {
		other := there[id]
		if attribute == "" {
			return other.physicalID, nil
		}
		if value, ok := other.attributes[attribute]; ok {
			return value, nil
		}
		return nil, fmt.Errorf("resource %s has no attribute %s", id, attribute)
	})
	if err != nil {
		return nil, err
	}
	return properties.(map[string]any), nil
}

// inText returns a value as CloudFormation hands it to a custom resource: scalars are strings.
func inText(value any) any {
	switch v := value.(type) {
	case map[string]any:
		texts := map[string]any{}
		for key, inner := range v {
			texts[key] = inText(inner)
		}
		return texts
	case []any:
		texts := make([]any, len(v))
		for i, inner := range v {
			texts[i] = inText(inner)
		}
		return texts
	case string:
		return v
	}
	document, err := json.Marshal(value)
	if err != nil {
		panic(err) // it was read from JSON
	}
	return string(document)
}
