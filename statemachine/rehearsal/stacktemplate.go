package rehearsal

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	local "github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// changeCode changes the function's code, so that a new version can be published.
func (r *run) changeCode() error {
	if !r.options.Stack.Publish {
		return nil
	}
	_, err := lambda.NewFromConfig(r.server.Config()).UpdateFunctionCode(context.Background(), &lambda.UpdateFunctionCodeInput{
		FunctionName: aws.String(r.request.Function()), ZipFile: localaws.DeploymentPackage("bootstrap", "the new version's code"),
	})
	return err
}

// templates returns the stack's templates, before the update and after it.
func (r *run) templates() (before, after local.Template, err error) {
	var input map[string]any
	if err := json.Unmarshal(r.options.Input, &input); err != nil {
		return before, after, err
	}
	template := func(version any, published string, fails ...string) local.Template {
		properties := map[string]any{"ServiceToken": functionARN(stackProvider)}
		for name, value := range input {
			properties[name] = value
		}
		if version != nil {
			properties["new-version"] = version
		}
		t := local.Template{Resources: map[string]local.Resource{
			"Rollout": {Type: "Custom::LambdaRollout", Properties: properties},
			"Routes":  {Type: "Local::Resource", Properties: map[string]any{"Fails": fails, "Of": properties["new-version"]}, DependsOn: []string{"Rollout"}},
		}}
		if r.options.Stack.Publish {
			properties["new-version"] = map[string]any{"Fn::GetAtt": []any{published, "Version"}}
			t.Resources[published] = local.Resource{Type: "AWS::Lambda::Version", Properties: map[string]any{"FunctionName": r.request.Function()}}
		}
		return t
	}
	switch {
	case r.options.Stack.First:
		return template(nil, "First"), after, nil
	case r.was != nil:
		before = template(r.was.Version, "Before")
	default:
		before = template(nil, "Before")
	}
	after = template(nil, "After")
	if r.options.Stack.Fails {
		after = template(nil, "After", "Update")
	}
	return before, after, nil
}
