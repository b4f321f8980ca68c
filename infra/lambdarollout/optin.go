package lambdarollout

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The tag by which a function's owner lets rollouts move its aliases, and the owner of
// a secret or a parameter lets them read it where Endpoints are enabled.
const (
	TagKey   = "lambda-rollout"
	TagValue = "enabled"
)

// OptIn selects the functions whose aliases rollouts may read and move. The zero value
// selects those tagged with TagKey and TagValue; Named selects by name.
type OptIn struct {
	functions []string // names and ARNs, checked; none: by tag
}

var (
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	functionARN  = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}$`)
)

// Named returns an opt-in of the functions with these names or unqualified ARNs,
// whatever their tags. The error lists every element that is neither. The functions
// have to be in the stack's account and Region: NewLambdaRollout refuses other ARNs, if
// account and Region are known when the app is synthesized.
func Named(functions ...string) (OptIn, error) {
	var optIn OptIn
	var bad []string
	for _, function := range functions {
		function = strings.TrimSpace(function)
		if !functionName.MatchString(function) && !functionARN.MatchString(function) {
			bad = append(bad, function)
		}
		optIn.functions = append(optIn.functions, function)
	}
	if len(functions) == 0 || len(bad) > 0 {
		return OptIn{}, fmt.Errorf("%q: give functions by name (letters, digits, - and _, at most 64) or by ARN without version or alias (arn:aws:lambda:<region>:<account>:function:<name>)", bad)
	}
	return optIn, nil
}

// checkPlace returns an error that lists every function whose ARN is of another
// account or Region than the stack's, if those are known.
func (o OptIn) checkPlace(stack awscdk.Stack) error {
	var bad []string
	for _, function := range o.functions {
		if !functionARN.MatchString(function) {
			continue
		}
		parts := strings.Split(function, ":")
		other := func(own *string, part string) bool { return !*awscdk.Token_IsUnresolved(own) && *own != part }
		if other(stack.Region(), parts[3]) || other(stack.Account(), parts[4]) {
			bad = append(bad, function)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("%q: the functions must be in the stack's account and Region (%s, %s); deploy another stack for the others", bad, *stack.Account(), *stack.Region())
}

// String returns a description of the functions that are opted in, for people.
func (o OptIn) String() string {
	if len(o.functions) == 0 {
		return fmt.Sprintf("functions with the tag %s=%s", TagKey, TagValue)
	}
	return "functions by name: " + strings.Join(o.functions, ", ")
}

// onFunctions returns a grant of the actions on the functions. IAM authorizes GetAlias
// and UpdateAlias on the function's ARN, not on the alias's.
func (o OptIn) onFunctions(stack awscdk.Stack, actions ...string) grant {
	return o.on(stack, []string{""}, actions)
}

// onQualified returns a grant of the actions on the functions and on their versions
// and aliases. It is for actions that take a version or an alias with the function, and
// whose documentation does not say whether IAM sees the qualified ARN.
func (o OptIn) onQualified(stack awscdk.Stack, actions ...string) grant {
	return o.on(stack, []string{"", ":*"}, actions)
}

// onVersions returns a grant of the actions on the versions and aliases of functions
// that are opted in by name, but not on the unqualified function, which no rollout
// invokes. If functions opt in by tag, it is on all ARNs of a function.
func (o OptIn) onVersions(stack awscdk.Stack, actions ...string) grant {
	return o.on(stack, []string{":*"}, actions)
}

// on returns a grant of the actions on the functions' ARNs with each of the qualifiers
// appended or, by tag, on every ARN of a function with the tag. Versions and aliases
// have no tags of their own: aws:ResourceTag is their function's.
func (o OptIn) on(stack awscdk.Stack, qualifiers, actions []string) grant {
	if len(o.functions) == 0 {
		return ifTagged(TagKey, TagValue, allow(actions, arn(stack, "*")))
	}
	var arns []*string
	for _, function := range o.functions {
		for _, qualifier := range qualifiers {
			if functionARN.MatchString(function) {
				arns = append(arns, jsii.String(function+qualifier))
			} else {
				arns = append(arns, arn(stack, function+qualifier))
			}
		}
	}
	on := allow(actions, arns...)
	if slices.Contains(qualifiers, ":*") {
		return on.because("the versions and aliases of functions that are opted in by name")
	}
	return on
}

// arn returns the ARN of a function of the stack's account and Region.
func arn(stack awscdk.Stack, function string) *string {
	return stack.FormatArn(&awscdk.ArnComponents{
		Service:      jsii.String("lambda"),
		Resource:     jsii.String("function"),
		ResourceName: jsii.String(function),
		ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

// names returns the functions' names; nil if they opt in by tag.
func (o OptIn) names() []string {
	var names []string
	for _, function := range o.functions {
		names = append(names, function[strings.LastIndex(function, ":")+1:])
	}
	return names
}
