package localaws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func TestStackResources(t *testing.T) {
	clock := &virtualClock{now: noon}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep})
	id, err := s.AddStack("shop")
	check(t, err)
	_, err = s.AddStack("empty")
	check(t, err)
	resources := []StackResource{{LogicalID: "Machine", PhysicalID: machineARN, Type: "AWS::StepFunctions::StateMachine"}}
	for i := range 120 {
		resources = append(resources, StackResource{LogicalID: fmt.Sprintf("F%03d", i), PhysicalID: fmt.Sprintf("f-%d", i), Type: "AWS::Lambda::Function"})
	}
	check(t, s.AddStackResources("shop", resources))
	check(t, s.AddStackResources(id, []StackResource{{LogicalID: "F000", PhysicalID: "f-0", Type: "AWS::Lambda::Function", Status: types.ResourceStatusUpdateFailed, Reason: "<no>"}}))
	client := cloudformation.NewFromConfig(s.Config())

	for _, in := range []cloudformation.DescribeStackResourcesInput{{StackName: aws.String("shop")}, {StackName: &id}, {PhysicalResourceId: aws.String(machineARN)}} {
		out, err := client.DescribeStackResources(t.Context(), &in)
		check(t, err)
		if len(out.StackResources) != 100 || *out.StackResources[0].LogicalResourceId != "F000" || *out.StackResources[0].ResourceStatusReason != "<no>" {
			t.Errorf("%d resources, first %+v", len(out.StackResources), out.StackResources[0])
		}
		in.LogicalResourceId = aws.String("Machine")
		out, err = client.DescribeStackResources(t.Context(), &in)
		check(t, err)
		r := out.StackResources[0]
		if len(out.StackResources) != 1 || *r.PhysicalResourceId != machineARN || *r.StackId != id || *r.StackName != "shop" || r.ResourceStatus != types.ResourceStatusCreateComplete ||
			!r.Timestamp.Equal(noon) || r.DriftInformation.StackResourceDriftStatus != types.StackResourceDriftStatusNotChecked {
			t.Errorf("%+v", r)
		}
	}
	one, err := client.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: aws.String("shop"), LogicalResourceId: aws.String("Machine")})
	check(t, err)
	if d := one.StackResourceDetail; *d.PhysicalResourceId != machineARN || *d.ResourceType != "AWS::StepFunctions::StateMachine" || !d.LastUpdatedTimestamp.Equal(noon) {
		t.Errorf("%+v", d)
	}
	var listed []string
	for pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: aws.String("shop")}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		check(t, err)
		for _, r := range page.StackResourceSummaries {
			listed = append(listed, *r.LogicalResourceId)
		}
	}
	if len(listed) != 121 || listed[120] != "Machine" {
		t.Errorf("%d are listed: %v", len(listed), listed)
	}
	if out, err := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: aws.String("empty")}); err != nil || len(out.StackResources) != 0 {
		t.Errorf("%+v %v", out, err)
	}
}

func TestStackResourceRefusals(t *testing.T) {
	s := New(Options{})
	_, err := s.AddStack("shop")
	check(t, err)
	client := cloudformation.NewFromConfig(s.Config())
	gone, shop, id := aws.String("gone"), aws.String("shop"), aws.String("F")
	_, stack := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: gone})
	_, physical := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: gone})
	_, neither := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{})
	_, detail := client.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: gone, LogicalResourceId: id})
	_, resource := client.DescribeStackResource(t.Context(), &cloudformation.DescribeStackResourceInput{StackName: shop, LogicalResourceId: id})
	_, list := client.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: gone})
	_, token := client.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: shop, NextToken: aws.String("F")})
	for text, err := range map[string]error{
		"Stack with id gone does not exist": stack, "Stack for PhysicalId gone does not exist": physical, "Exactly one": neither,
		"Stack 'gone' does not exist": detail, "Resource F does not exist for stack shop": resource, "id gone does not exist": list, "token": token,
	} {
		if code, status := outcome(err); code != "ValidationError" || status != 400 || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, bad := range [][]StackResource{{{Type: "T"}}, {{LogicalID: "A"}}, {{LogicalID: "A", Type: "T", Status: "FINE"}}} {
		if s.AddStackResources("shop", bad) == nil {
			t.Errorf("%+v is added", bad)
		}
	}
	if s.AddStackResources("gone", nil) == nil {
		t.Error("resources of an unknown stack are added")
	}
}
