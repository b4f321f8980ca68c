package asl

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Substitute returns the definition with each ${Name} replaced by its value, as
// CDK's and CloudFormation's DefinitionSubstitutions do. Values are inserted
// unchanged and must not need JSON escaping; ARNs do not. The error lists every
// ${…} without a value and every value whose name the definition does not have.
func Substitute(definition string, values map[string]string) (string, error) {
	var errs []error
	used := map[string]bool{}
	out := regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllStringFunc(definition, func(placeholder string) string {
		name := placeholder[2 : len(placeholder)-1]
		value, ok := values[name]
		if !ok && !used[name] {
			errs = append(errs, fmt.Errorf("the definition has %s, but no value is given for it", placeholder))
		}
		used[name] = true
		return value
	})
	var unused []string
	for name := range values {
		if !used[name] {
			unused = append(unused, name)
		}
	}
	slices.Sort(unused)
	for _, name := range unused {
		errs = append(errs, fmt.Errorf("a value is given for ${%s}, which the definition does not have", name))
	}
	if len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	return out, nil
}
