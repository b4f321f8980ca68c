package asl

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Substitute replaces each ${Name} in a definition by its value, as CDK's and
// CloudFormation's DefinitionSubstitutions do. It refuses a ${…} whose name has
// no value, and a value whose name is not in the definition; all at once.
// Values are put in as they are: they should need no JSON escaping, as ARNs do.
func Substitute(definition string, values map[string]string) (string, error) {
	var errs []error
	used := map[string]bool{}
	out := regexp.MustCompile(`\$\{([^}]*)\}`).ReplaceAllStringFunc(definition, func(placeholder string) string {
		name := placeholder[2 : len(placeholder)-1]
		value, ok := values[name]
		if !ok && !used[name] {
			errs = append(errs, fmt.Errorf("the definition has %s, for which there is no value", placeholder))
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
		errs = append(errs, fmt.Errorf("there is a value for ${%s}, which the definition does not have", name))
	}
	if len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	return out, nil
}
