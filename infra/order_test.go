package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRolesAreCompleteBeforeTheMachines(t *testing.T) {
	tmpl, _ := deployed(t)
	if err := checkOrder(tmpl); err != nil {
		t.Error(err)
	}
}

// checkOrder returns an error for a circular dependency, for a role or policy that
// CloudFormation may create after its state machine, and for a machine with another
// name than policies have.
func checkOrder(tmpl template) error {
	for resource, want := range map[string]string{"StateMachine": machine, "ReleaseStateMachine": releases} {
		if name := tmpl.Resources[resource].Properties["StateMachineName"]; name != want {
			return fmt.Errorf("%s is named %v, want %s", resource, name, want)
		}
	}
	if err := checkCircles(tmpl); err != nil {
		return err
	}
	needs := dependencies(tmpl)
	rollouts, ofReleases := reach(needs, "StateMachine"), reach(needs, "ReleaseStateMachine")
	for _, name := range append(tmpl.ofType("AWS::IAM::Role"), tmpl.ofType("AWS::IAM::Policy")...) {
		first := rollouts
		if ofRelease.MatchString(name) {
			first = ofReleases
		}
		if !first[name] {
			return fmt.Errorf("the state machine does not depend on %s", name)
		}
	}
	return nil
}

// ofRelease matches the names of what belongs to the machine of releases.
var ofRelease = regexp.MustCompile(`^(Release|(Plan|Check|Revert)Release)`)

// checkCircles returns an error for a circular dependency.
func checkCircles(tmpl template) error {
	needs := dependencies(tmpl)
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if reach(needs, name)[name] {
			return fmt.Errorf("%s depends on itself", name)
		}
	}
	return nil
}

// reach returns all resources that a resource depends on, directly or indirectly.
func reach(needs map[string][]string, name string) map[string]bool {
	reached := map[string]bool{}
	for next := needs[name]; len(next) > 0; {
		name, next = next[0], next[1:]
		if !reached[name] {
			reached[name] = true
			next = append(slices.Clone(next), needs[name]...)
		}
	}
	return reached
}

// dependencies returns the resources that each resource depends on in CloudFormation:
// those in DependsOn, and those that its properties refer to.
func dependencies(tmpl template) map[string][]string {
	needs := map[string][]string{}
	for name, resource := range tmpl.Resources {
		add := func(on string) {
			if on, _, _ = strings.Cut(on, "."); tmpl.Resources[on].Type != "" {
				needs[name] = append(needs[name], on)
			}
		}
		for _, on := range strings.Split(render(resource.DependsOn), ", ") {
			add(on)
		}
		references(resource.Properties, add)
	}
	return needs
}

var substituted = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// references calls found with the name of each resource that a value refers to.
func references(value any, found func(string)) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			references(element, found)
		}
	case map[string]any:
		for key, element := range value {
			switch key {
			case "Ref":
				found(render(element))
			case "Fn::GetAtt":
				found(strings.ReplaceAll(render(element), ", ", "."))
			case "Fn::Sub":
				for _, match := range substituted.FindAllStringSubmatch(render(element), -1) {
					found(match[1])
				}
			}
			references(element, found)
		}
	}
}
