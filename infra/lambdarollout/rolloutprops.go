package lambdarollout

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// RolloutProps are the settings of a Rollout. Function and AliasName are required.
// Health and Input have values as encoding/json writes them: texts, which may be CDK's
// tokens, numbers, booleans, lists and maps.
type RolloutProps struct {
	// Function is the function whose alias is moved. One that the app defines is opted in
	// with the tag TagKey.
	Function awslambda.IFunction
	// AliasName is the alias's name. The first deployment creates the alias, or adopts
	// one that exists. The template must not define it as a resource of its own.
	AliasName string
	// Version gets the traffic: by default, the current version of a Function that the app
	// defines. A version that the app defines is kept when a newer one replaces it in the
	// template, because that one's rollout compares with it.
	Version awslambda.IVersion

	// Provider is the construct whose state machine performs the rollout, with
	// Props.StackRollouts. ServiceToken is the ARN of its function StackRollout, if it is
	// in another app. By default, it is imported: see ProviderExport.
	Provider     *LambdaRollout
	ServiceToken *string

	// Type is a weight curve, or the name of one of CodeDeploy's configurations, such as
	// *config.DeploymentConfigName(). If Type, Steps and Interval are all left out, it is
	// Canary10Percent5Minutes, as in CodeDeploy.
	Type string
	// Steps is the number of steps.
	Steps int
	// Interval is how long each step lasts.
	Interval awscdk.Duration
	// Alarms roll back when they go off. One on a metric of Rollout.Alias is added with
	// Rollout.AddAlarm.
	Alarms []awscloudwatch.IAlarm
	// PreHook is called before the first traffic, PostHook before the promotion. Both
	// return their answer, as docs/gates.md describes. They need the gate Hooks, and the
	// tag CheckTagKey, which functions that the app defines get.
	PreHook, PostHook awslambda.IFunction
	// Health is the field "health" of an execution's input.
	Health map[string]any
	// Input has further fields of an execution's input, such as "check-interval".
	Input map[string]any

	// Wait is whether a stack's update waits for the rollout's end, and fails with it: by
	// default, it does. The plan may then take 50 minutes at most.
	Wait *bool
	// DeleteAlias is whether deleting the Rollout deletes an alias that it has created.
	DeleteAlias bool
}

// canary is the type of a rollout whose plan is not given: CodeDeploy's default.
const canary = "Canary10Percent5Minutes"

// check returns an error that lists all problems that are known before the deployment;
// nil if there are none.
func (p *RolloutProps) check() error {
	var problems []error
	if p.Function == nil {
		problems = append(problems, errors.New("a Rollout needs a Function"))
	}
	if p.AliasName == "" {
		problems = append(problems, errors.New("a Rollout needs an AliasName"))
	}
	if _, defined := p.Function.(versioned); p.Function != nil && p.Version == nil && !defined {
		problems = append(problems, errors.New("a Rollout needs a Version, because the app does not define its function"))
	}
	if p.Provider != nil {
		problems = append(problems, p.checkProvider())
	}
	if _, err := p.properties(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (p *RolloutProps) checkProvider() error {
	var problems []error
	if p.ServiceToken != nil {
		problems = append(problems, errors.New("a Rollout has either a Provider or a ServiceToken"))
	}
	if p.Provider.StackRolloutProvider == nil {
		problems = append(problems, errors.New("the Provider of a Rollout needs StackRollouts in its Props"))
	}
	if p.PreHook != nil || p.PostHook != nil {
		problems = append(problems, p.Provider.allows(Hooks))
	}
	return errors.Join(problems...)
}

// allows returns an error if a gate is not enabled.
func (r *LambdaRollout) allows(gate string) error {
	if slices.Contains(r.gates, gate) {
		return nil
	}
	return fmt.Errorf("the Provider of a Rollout needs %q among the Gates of its Props", gate)
}

// versioned is a function that the app defines.
type versioned interface{ CurrentVersion() awslambda.Version }

// version returns the version that gets the traffic. If the app defines it, it is kept
// when it leaves the template.
func (p *RolloutProps) version() awslambda.IVersion {
	version := p.Version
	if version == nil {
		version = p.Function.(versioned).CurrentVersion()
	}
	if version.Node().DefaultChild() != nil {
		version.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	}
	return version
}

// serviceToken returns the ARN of the function StackRollout.
func (p *RolloutProps) serviceToken() *string {
	switch {
	case p.Provider != nil:
		return p.Provider.StackRolloutProvider.FunctionArn()
	case p.ServiceToken != nil:
		return p.ServiceToken
	}
	return awscdk.Fn_ImportValue(jsii.String(ProviderExport))
}

// properties returns the resource's properties, except those that refer to constructs.
// It returns an error for fields of Input that have a setting of their own, and for
// values that are not JSON.
func (p *RolloutProps) properties() (map[string]any, error) {
	properties := map[string]any{}
	if len(p.Health) > 0 {
		properties["Health"] = p.Health
	}
	if p.Type != "" {
		properties["Type"] = p.Type
	}
	if p.Steps != 0 {
		properties["Steps"] = p.Steps
	}
	if p.Interval != nil {
		properties["Interval"] = p.Interval.ToSeconds(nil)
	}
	if p.Wait != nil {
		properties["Wait"] = *p.Wait
	}
	if p.DeleteAlias {
		properties["DeleteAlias"] = true
	}
	var problems []error
	for field, value := range p.Input {
		name := propertyName(field)
		if _, twice := properties[name]; twice || slices.Contains([]string{"FunctionName", "AliasName", "NewVersion", "Health", "ServiceToken"}, name) {
			problems = append(problems, fmt.Errorf("the field %q of a Rollout's Input has a setting of its own", field))
		}
		properties[name] = value
	}
	if properties["Type"] == nil && properties["Steps"] == nil && properties["Interval"] == nil {
		properties["Type"] = canary
	}
	text, err := json.Marshal(properties)
	if err == nil {
		properties = nil
		err = json.Unmarshal(text, &properties)
	}
	if err != nil {
		problems = append(problems, fmt.Errorf("the Health and Input of a Rollout must be JSON: %w", err))
	}
	if _, object := properties["Hooks"].(map[string]any); properties["Hooks"] != nil && !object {
		problems = append(problems, errors.New("the hooks in a Rollout's Input must be a map"))
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return properties, errors.Join(problems...)
}

// propertyName returns the name of a field of an execution's input as CloudFormation
// writes names: check-interval is CheckInterval.
func propertyName(field string) string {
	words := strings.Split(field, "-")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}
