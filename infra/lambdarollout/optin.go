package lambdarollout

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The tag by which the owner of a function lets rollouts move its aliases, and
// the owner of a secret or a parameter lets them read it, where Endpoints are allowed.
const (
	TagKey   = "lambda-rollout"
	TagValue = "enabled"
)

// OptIn says which functions rollouts may read and move the aliases of: those
// tagged with TagKey and TagValue, which is the zero value, or those of Named.
type OptIn struct {
	functions []string // names and ARNs, checked; none: by tag
}

var (
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	functionARN  = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_-]{1,64}$`)
)

// Named narrows the opt-in to functions by name or by unqualified ARN, whatever
// their tags. The error names every one that is neither. Rollouts are of functions of
// the stack's own account and Region: NewLambdaRollout refuses the ARN of any other,
// as far as these are known when the app is synthesized.
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

// checkPlace returns an error that names every function by ARN that is of another
// account or Region than the stack, if the stack's are known.
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
	return fmt.Errorf("%q: rollouts are of functions of the stack's own account and Region (%s, %s): deploy another stack there", bad, *stack.Account(), *stack.Region())
}

// String says in words which functions have opted in.
func (o OptIn) String() string {
	if len(o.functions) == 0 {
		return fmt.Sprintf("functions with the tag %s=%s", TagKey, TagValue)
	}
	return "functions by name: " + strings.Join(o.functions, ", ")
}

// onFunctions allows the actions on the functions that opted in. IAM authorizes
// GetAlias and UpdateAlias on the function's ARN, not the alias's.
func (o OptIn) onFunctions(stack awscdk.Stack, actions ...string) grant {
	return o.on(stack, []string{""}, actions)
}

// onQualified allows the actions on the functions that opted in and on their
// versions and aliases: those which take a version or an alias beside the
// function, and of which AWS does not say plainly whether the ARN that IAM sees
// ends in it.
func (o OptIn) onQualified(stack awscdk.Stack, actions ...string) grant {
	return o.on(stack, []string{"", ":*"}, actions)
}

// onVersions allows the actions on the versions and aliases of the functions that
// opted in by name, and not on $LATEST without a qualifier, which no rollout calls. By
// tag it is on all ARNs of a function.
func (o OptIn) onVersions(stack awscdk.Stack, actions ...string) grant {
	return o.on(stack, []string{":*"}, actions)
}

// on allows the actions on the functions that opted in: on their ARNs with each
// of the qualifiers added or, by tag, on every ARN of a function with the tag. A
// version or an alias has no tags of its own: aws:ResourceTag is its function's.
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
		return on.because("the versions and aliases of functions that were opted in by name")
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

// names are the functions' names, none if they opt in by tag.
func (o OptIn) names() []string {
	var names []string
	for _, function := range o.functions {
		names = append(names, function[strings.LastIndex(function, ":")+1:])
	}
	return names
}
