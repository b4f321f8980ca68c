package lambdarollout

import (
	"fmt"
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Rollout is the rollout of one function that a stack declares. Each update of the stack
// that has a new version moves the alias to it, step by step, and by default waits for
// the end: if the rollout is rolled back, the update fails, and CloudFormation rolls back
// the stack.
type Rollout struct {
	// Resource is the custom resource, of the type Custom::LambdaRollout. What depends on
	// it comes after the promotion.
	Resource awscdk.CustomResource

	alias         awslambda.IAlias
	health, hooks *extendable
}

// NewRollout adds a Rollout to scope. It takes the place of an Alias and a
// codedeploy.LambdaDeploymentGroup. It panics if props are not valid.
func NewRollout(scope constructs.Construct, id string, props *RolloutProps) *Rollout {
	if props == nil {
		props = &RolloutProps{}
	}
	if err := props.check(); err != nil {
		panic(err)
	}
	inner := constructs.NewConstruct(scope, jsii.String(id))
	version := props.version()
	tag(props.Function, TagKey, TagValue)
	properties, err := props.properties()
	if err != nil {
		panic(err) // check has read them
	}
	r := &Rollout{health: newExtendable("Health", properties), hooks: newExtendable("Hooks", properties)}
	properties["FunctionName"] = props.Function.FunctionName()
	properties["AliasName"] = props.AliasName
	properties["NewVersion"] = version.Version()
	r.Resource = awscdk.NewCustomResource(inner, jsii.String("Resource"), &awscdk.CustomResourceProps{
		ResourceType: jsii.String("Custom::LambdaRollout"),
		ServiceToken: props.serviceToken(),
		Properties:   &properties,
	})
	r.alias = newRolloutAlias(inner, props.AliasName, version, r.Resource)
	for _, alarm := range props.Alarms {
		r.AddAlarm(alarm)
	}
	if props.PreHook != nil {
		r.AddPreHook(props.PreHook)
	}
	if props.PostHook != nil {
		r.AddPostHook(props.PostHook)
	}
	return r
}

// Alias returns the alias, for permissions, event sources and integrations: they come
// after the promotion. Its metrics name it and do not refer to the rollout, so that
// alarms on them can be added to that.
func (r *Rollout) Alias() awslambda.IAlias { return r.alias }

// Version returns the number of the version to which the alias routes its traffic when
// the resource is done. After Wait was set to false, it is the version that the rollout
// under way leads to.
func (r *Rollout) Version() *string { return r.Resource.GetAttString(jsii.String("Version")) }

// ExecutionArn returns the ARN of the execution that is the rollout; "" if none was
// needed, as at the first deployment.
func (r *Rollout) ExecutionArn() *string { return r.Resource.GetAttString(jsii.String("ExecutionArn")) }

// Unverified returns "true" if the rollout was promoted with too little seen, and "false"
// otherwise.
func (r *Rollout) Unverified() *string { return r.Resource.GetAttString(jsii.String("Unverified")) }

// AddAlarm adds an alarm that rolls back when it goes off: see RolloutProps.Alarms.
func (r *Rollout) AddAlarm(alarm awscloudwatch.IAlarm) { r.health.add("alarms", alarm.AlarmName()) }

// AddPreHook adds a function that is called before the first traffic: see
// RolloutProps.PreHook. Unlike in CodeDeploy, there may be several.
func (r *Rollout) AddPreHook(hook awslambda.IFunction) { r.addHook("pre-traffic", hook) }

// AddPostHook adds a function that is called before the promotion.
func (r *Rollout) AddPostHook(hook awslambda.IFunction) { r.addHook("post-traffic", hook) }

func (r *Rollout) addHook(kind string, hook awslambda.IFunction) {
	tag(hook, CheckTagKey, CheckTagValue)
	r.hooks.add(kind, hook.FunctionArn())
}

// tag gives a function the tag if the app defines it. Of a version or an alias, it is the
// function that is tagged.
func tag(function awslambda.IFunction, key, value string) {
	if qualified, ok := function.(interface{ Lambda() awslambda.IFunction }); ok {
		function = qualified.Lambda()
	}
	awscdk.Tags_Of(function).Add(jsii.String(key), jsii.String(value), &awscdk.TagProps{
		IncludeResourceTypes: jsii.Strings("AWS::Lambda::Function"), // and not its role, for instance
	})
}

// extendable is a property that is an object, to whose lists elements are added until the
// synth.
type extendable struct {
	name   string
	fields map[string]any
}

// newExtendable makes a property extendable.
func newExtendable(name string, properties map[string]any) *extendable {
	given, _ := properties[name].(map[string]any)
	e := &extendable{name, maps.Clone(given)}
	if e.fields == nil {
		e.fields = map[string]any{}
	}
	properties[name] = awscdk.Lazy_Any(e, nil)
	return e
}

// add adds an element to one of the object's lists. It panics if that is no list.
func (e *extendable) add(list string, element *string) {
	elements, ok := e.fields[list].([]any)
	if !ok && e.fields[list] != nil {
		panic(fmt.Errorf("%s.%s of a Rollout is %v; it must be a list", e.name, list, e.fields[list]))
	}
	e.fields[list] = append(elements, *element)
}

// Produce implements awscdk.IStableAnyProducer. It returns nil for an object without
// fields, which leaves the property out.
func (e *extendable) Produce() any {
	if len(e.fields) == 0 {
		return nil
	}
	return e.fields
}
