package localaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

const executionPrefix = "arn:aws:states:eu-central-1:123456789012:execution:rollout:"

// catalog implements Executions and Catalog.
type catalog struct {
	machine
	all []StateMachine
}

func (c *catalog) StateMachines() []StateMachine { return c.all }

func (c *catalog) Execution(arn string) (Execution, bool) {
	return Execution{ARN: arn, StateMachineARN: machineARN, Status: "RUNNING", Started: noon}, arn == executionPrefix+"one"
}

func TestStateMachines(t *testing.T) {
	clock := &virtualClock{now: noon}
	other := StateMachine{ARN: "arn:aws:states:eu-central-1:123456789012:stateMachine:another", Name: "another", Created: noon}
	mine := StateMachine{ARN: machineARN, Name: "rollout", Definition: `{"StartAt":"A"}`, RoleARN: "arn:aws:iam::123456789012:role/r", Created: noon,
		Tags: map[string]string{"team": "shop", "a": "b"}}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep, Executions: &catalog{all: []StateMachine{mine, other}}})
	client := sfn.NewFromConfig(s.Config())

	var names []string
	for pages := sfn.NewListStateMachinesPaginator(client, &sfn.ListStateMachinesInput{MaxResults: 1}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		check(t, err)
		for _, m := range page.StateMachines {
			names = append(names, *m.Name)
			if m.Type != types.StateMachineTypeStandard || !m.CreationDate.Equal(noon) {
				t.Errorf("%+v", m)
			}
		}
	}
	if len(names) != 2 || names[0] != "another" || names[1] != "rollout" {
		t.Errorf("%v", names)
	}
	d, err := client.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(machineARN)})
	check(t, err)
	if *d.Definition != mine.Definition || *d.RoleArn != mine.RoleARN || *d.Name != "rollout" || d.Status != types.StateMachineStatusActive || !d.CreationDate.Equal(noon) {
		t.Errorf("%+v", d)
	}
	meta, err := client.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(machineARN), IncludedData: types.IncludedDataMetadataOnly})
	check(t, err)
	if aws.ToString(meta.Definition) != "" {
		t.Errorf("metadata have the definition %s", *meta.Definition)
	}
	of, err := client.DescribeStateMachineForExecution(t.Context(), &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: aws.String(executionPrefix + "one")})
	check(t, err)
	if *of.StateMachineArn != machineARN || *of.Definition != mine.Definition || !of.UpdateDate.Equal(noon) {
		t.Errorf("%+v", of)
	}
	tags, err := client.ListTagsForResource(t.Context(), &sfn.ListTagsForResourceInput{ResourceArn: aws.String(machineARN)})
	check(t, err)
	if len(tags.Tags) != 2 || *tags.Tags[0].Key != "a" || *tags.Tags[1].Value != "shop" {
		t.Errorf("%+v", tags.Tags)
	}
	none, err := sfn.NewFromConfig(New(Options{}).Config()).ListStateMachines(t.Context(), &sfn.ListStateMachinesInput{})
	if check(t, err); len(none.StateMachines) != 0 {
		t.Errorf("%+v", none.StateMachines)
	}
}

func TestStateMachineRefusals(t *testing.T) {
	s := New(Options{Executions: &catalog{}})
	client := sfn.NewFromConfig(s.Config())
	gone := aws.String(machineARN)
	_, describe := client.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: gone})
	_, noARN := client.DescribeStateMachine(t.Context(), &sfn.DescribeStateMachineInput{StateMachineArn: aws.String("rollout")})
	_, token := client.ListStateMachines(t.Context(), &sfn.ListStateMachinesInput{NextToken: aws.String("%")})
	_, execution := client.DescribeStateMachineForExecution(t.Context(), &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: aws.String(executionPrefix + "two")})
	_, tags := client.ListTagsForResource(t.Context(), &sfn.ListTagsForResourceInput{ResourceArn: gone})
	for code, err := range map[string]error{
		"StateMachineDoesNotExist": describe, "InvalidArn": noARN, "InvalidToken": token, "ExecutionDoesNotExist": execution, "ResourceNotFound": tags,
	} {
		if got, _ := outcome(err); got != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}
