package localaws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func TestDescribeStacks(t *testing.T) {
	clock := &virtualClock{now: noon}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep})
	id, err := s.AddStack("shop")
	check(t, err)
	clock.Sleep(time.Minute)
	check(t, s.SetStackStatus(id, types.StackStatusCreateComplete, ""))
	created, err := cloudformation.NewFromConfig(s.Config()).DescribeStacks(t.Context(), nil)
	if check(t, err); created.Stacks[0].LastUpdatedTime != nil || len(created.Stacks[0].Outputs) > 0 {
		t.Errorf("a created stack is %+v", created.Stacks[0])
	}
	check(t, s.SetStackOutputs("shop", []StackOutput{{Key: "Arn", Value: "arn:<&>", Description: "what it is", Export: "shop-arn"}, {Key: "Empty"}}))
	for _, err := range []error{s.SetStackOutputs("other", nil), s.SetStackOutputs("shop", []StackOutput{{Value: "x"}})} {
		if err == nil {
			t.Error("outputs of nothing, or without a key, were set")
		}
	}
	check(t, s.SetStackStatus(id, types.StackStatusUpdateRollbackInProgress, "Rollout failed <&>"))
	for transport, cfg := range configurations(t, s) {
		t.Run(transport, func(t *testing.T) {
			client := cloudformation.NewFromConfig(cfg)
			for _, given := range []string{"shop", id, ""} {
				in := &cloudformation.DescribeStacksInput{StackName: &given}
				if given == "" {
					in.StackName = nil
				}
				out, err := client.DescribeStacks(t.Context(), in)
				check(t, err)
				if len(out.Stacks) != 1 {
					t.Fatalf("%q: %d stacks", given, len(out.Stacks))
				}
				got := out.Stacks[0]
				if *got.StackId != id || *got.StackName != "shop" || got.StackStatus != types.StackStatusUpdateRollbackInProgress ||
					*got.StackStatusReason != "Rollout failed <&>" || !got.CreationTime.Equal(noon) || !got.LastUpdatedTime.Equal(noon.Add(time.Minute)) {
					t.Errorf("%q: %+v", given, got)
				}
				if o := got.Outputs; len(o) != 2 || *o[0].OutputKey != "Arn" || *o[0].OutputValue != "arn:<&>" || *o[0].Description != "what it is" || *o[0].ExportName != "shop-arn" || o[1].ExportName != nil {
					t.Errorf("%q has the outputs %+v", given, o)
				}
			}
			_, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String("other")})
			if code, status := outcome(err); code != "ValidationError" || status != 400 || !strings.Contains(err.Error(), "Stack with id other does not exist") {
				t.Errorf("an unknown stack: %v", err)
			}
		})
	}
}

func TestDeletedStacksAreFoundByTheirID(t *testing.T) {
	s := New(Options{})
	old, err := s.AddStack("shop")
	check(t, err)
	if _, err := s.AddStack("shop"); err == nil {
		t.Error("two stacks have the same name")
	}
	check(t, s.SetStackStatus("shop", types.StackStatusDeleteComplete, ""))
	again, err := s.AddStack("shop")
	check(t, err)
	client := cloudformation.NewFromConfig(s.Config())
	for given, want := range map[string]types.StackStatus{old: types.StackStatusDeleteComplete, again: types.StackStatusCreateInProgress, "shop": types.StackStatusCreateInProgress} {
		out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &given})
		if check(t, err); out.Stacks[0].StackStatus != want {
			t.Errorf("%s: %s, want %s", given, out.Stacks[0].StackStatus, want)
		}
	}
	for _, err := range []error{s.SetStackStatus("other", types.StackStatusCreateComplete, ""), s.SetStackStatus("shop", "BROKEN", "")} {
		if err == nil {
			t.Error("a status of nothing, or an unknown one, was set")
		}
	}
	if _, err := s.AddStack("1"); err == nil {
		t.Error("a stack has a number for its name")
	}
	if _, err := client.ListStacks(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "ListStacks") {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestCloudFormationHasFaults(t *testing.T) {
	s := New(Options{})
	for kind, want := range map[FaultKind]string{Throttled: "Throttling", ServerError: "InternalFailure", Unavailable: "ServiceUnavailable"} {
		fault, err := s.Inject(Fault{Operation: "DescribeStacks", Kind: kind})
		check(t, err)
		_, err = cloudformation.NewFromConfig(s.Config()).DescribeStacks(t.Context(), nil)
		if code, _ := outcome(err); code != want {
			t.Errorf("%s: %v, want %s", kind, err, want)
		}
		fault.Remove()
	}
}
