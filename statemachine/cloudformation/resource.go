package cloudformation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// work is something to do with a resource.
type work struct {
	stack     *Stack
	id        string
	*instance           // as it is wanted, or as it is deleted
	old       *instance // before an update
	abort     *asl.Signal
}

// text returns a property that is a text; empty if it is none.
func (w work) text(name string) string {
	text, _ := w.properties[name].(string)
	return text
}

// kind is what can be done with the resources of a type. A resource without update is replaced.
type kind struct {
	create func(work) (physicalID string, attributes map[string]any, err error)
	update func(work) (physicalID string, attributes map[string]any, err error)
	delete func(work) error
}

// kindOf returns the kind of a type; false if it is not supported.
func kindOf(resourceType string) (kind, bool) {
	switch {
	case resourceType == "AWS::Lambda::Function":
		return kind{createFunction, updateFunction, deleteFunction}, true
	case resourceType == "AWS::Lambda::Version":
		return kind{publishVersion, nil, deleteVersion}, true
	case resourceType == "AWS::CloudFormation::WaitConditionHandle":
		return kind{createHandle, nil, deleteNothing}, true
	case resourceType == "AWS::CloudFormation::WaitCondition":
		return kind{createWait, nil, deleteNothing}, true
	case resourceType == "Local::Resource":
		return kind{createLocal, updateLocal, deleteLocal}, true
	case strings.HasPrefix(resourceType, "Custom::"), resourceType == "AWS::CloudFormation::CustomResource":
		return kind{createCustom, updateCustom, deleteCustom}, true
	}
	return kind{}, false
}

// createFunction creates a function from the properties FunctionName, Role and Code, of which only ZipFile is read.
func createFunction(w work) (string, map[string]any, error) {
	name, role := w.text("FunctionName"), w.text("Role")
	if role == "" {
		role = "arn:aws:iam::123456789012:role/" + name
	}
	out, err := w.stack.engine.lambda.CreateFunction(context.Background(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &role, Code: &types.FunctionCode{ZipFile: w.code()}, Runtime: types.RuntimePython314, Handler: aws.String("index.handler")})
	if err != nil {
		return "", nil, inWords(err)
	}
	return name, map[string]any{"Arn": *out.FunctionArn}, nil
}

// code returns a function's deployment package: one file with the text in the template.
func (w work) code() []byte {
	code, _ := w.properties["Code"].(map[string]any)
	text, _ := code["ZipFile"].(string)
	return localaws.DeploymentPackage("index.py", text)
}

// updateFunction updates a function's code.
func updateFunction(w work) (string, map[string]any, error) {
	if w.text("FunctionName") != w.physicalID {
		return "", nil, errors.New("the local CloudFormation does not rename functions")
	}
	_, err := w.stack.engine.lambda.UpdateFunctionCode(context.Background(), &lambda.UpdateFunctionCodeInput{FunctionName: &w.physicalID, ZipFile: w.code()})
	return w.physicalID, w.attributes, inWords(err)
}

func deleteFunction(w work) error {
	_, err := w.stack.engine.lambda.DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: &w.physicalID})
	return inWords(err)
}

// publishVersion publishes a version of the function FunctionName. It is an error if the stack has that version already, as
// nothing has changed since.
func publishVersion(w work) (string, map[string]any, error) {
	name := w.text("FunctionName")
	out, err := w.stack.engine.lambda.PublishVersion(context.Background(), &lambda.PublishVersionInput{FunctionName: &name})
	if err != nil {
		return "", nil, inWords(err)
	}
	for _, other := range w.stack.resources {
		if other.physicalID == *out.FunctionArn {
			return "", nil, fmt.Errorf("a version for this Lambda function exists ( %s ). Modify the function to create a new version", *out.Version)
		}
	}
	return *out.FunctionArn, map[string]any{"Version": *out.Version}, nil
}

func deleteVersion(w work) error {
	function, number := strings.TrimSuffix(w.physicalID, ":"+arn.Name(w.physicalID)), arn.Name(w.physicalID)
	_, err := w.stack.engine.lambda.DeleteFunction(context.Background(), &lambda.DeleteFunctionInput{FunctionName: &function, Qualifier: &number})
	return inWords(err)
}

// inWords returns an error of a call with AWS's message only.
func inWords(err error) error {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return errors.New(api.ErrorMessage())
	}
	return err
}

// A Local::Resource takes as many seconds as its property Seconds says, and fails in the operations, Create, Update or Delete,
// that its property Fails lists.

func createLocal(w work) (string, map[string]any, error) {
	return w.stack.name + "-" + w.id, nil, w.local("Create")
}

func updateLocal(w work) (string, map[string]any, error) { return w.physicalID, nil, w.local("Update") }

func deleteLocal(w work) error { return w.local("Delete") }

func (w work) local(operation string) error {
	seconds, _ := w.properties["Seconds"].(float64)
	clock := w.stack.engine.clock
	if clock.Wait(clock.Now().Add(time.Duration(seconds*float64(time.Second))), w.abort) != nil {
		return errCancelled
	}
	if fails, _ := w.properties["Fails"].([]any); slices.Contains(fails, any(operation)) {
		return errors.New("as the template wants")
	}
	return nil
}
