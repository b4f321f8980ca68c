package lambdarollout

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// rolloutAlias is the alias that a rollout moves. What CloudFormation is given of it comes
// from the custom resource, so that whatever uses the alias comes after the promotion.
//
// It is a class of its own, whose properties CDK reads from here: CDK does not change
// the policy of an alias that is imported with Alias_FromAliasAttributes.
type rolloutAlias struct {
	awslambda.Alias
	arn, qualifier, qualified *string
}

// newRolloutAlias adds the alias, without a resource of its own.
func newRolloutAlias(scope constructs.Construct, name string, version awslambda.IVersion, resource awscdk.CustomResource) *rolloutAlias {
	a := &rolloutAlias{arn: resource.GetAttString(jsii.String("AliasArn"))}
	const last = 7 // part of the ARN
	a.qualifier = awscdk.Fn_Select(jsii.Number(last), awscdk.Fn_Split(jsii.String(":"), a.arn, nil))
	a.qualified = jsii.String(*version.Lambda().FunctionName() + ":" + *a.qualifier)
	awslambda.NewAlias_Override(a, scope, jsii.String("Alias"), &awslambda.AliasProps{AliasName: &name, Version: version})
	a.Node().TryRemoveChild(jsii.String("Resource"))
	a.Node().SetDefaultChild(resource.Node().DefaultChild())
	return a
}

// FunctionArn returns the alias's ARN.
func (a *rolloutAlias) FunctionArn() *string { return a.arn }

// FunctionName returns the function's name and, after a colon, the alias's.
func (a *rolloutAlias) FunctionName() *string { return a.qualified }

// Qualifier returns the alias's name.
func (a *rolloutAlias) Qualifier() *string { return a.qualifier }
