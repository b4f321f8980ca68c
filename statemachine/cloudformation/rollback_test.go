package cloudformation_test

import (
	"context"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
)

// fails returns an answer to the nth request that it has failed, and successes to the others.
func fails(n int) func(int, request) map[string]any {
	return func(number int, _ request) map[string]any {
		if number == n {
			return map[string]any{"Status": "FAILED", "Reason": "too many errors"}
		}
		return map[string]any{}
	}
}

// updated returns a stack that has been updated from code A to B, and the events of the update.
func (w *world) updated(change ...func(map[string]cloudformation.Resource)) (*cloudformation.Stack, string) {
	s := w.created()
	n := len(s.Events())
	if err := s.Update(template("B", change...)); err != nil {
		w.t.Error(err)
	}
	s.Wait()
	return s, log(s, n)
}

func TestAnUpdateThatFailsIsRolledBack(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = fails(2)
	w.run(func() {
		_, events := w.updated()
		w.expect("the update", events, `
1m0s shop UPDATE_IN_PROGRESS: User Initiated
1m0s Function UPDATE_COMPLETE
1m0s VersionB CREATE_COMPLETE
2m0s Rollout UPDATE_FAILED: received response status [FAILED] from custom resource. Message returned: too many errors (RequestId: `+w.requests[1].RequestId+`)
2m0s shop UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to create or update: [Rollout].
2m0s Function UPDATE_COMPLETE
3m0s Rollout UPDATE_COMPLETE
3m0s shop UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
3m0s VersionB DELETE_COMPLETE
3m0s shop UPDATE_ROLLBACK_COMPLETE`)
	})
	w.expect("the requests", w.asked(), `
0s Create  1
1m0s Update rollout 2 after 1
2m0s Update rollout 1 after 2`)
	if w.versions() != "1" {
		t.Errorf("the versions are %s", w.versions())
	}
}

// TestTheRollbackIsSeenByTheProvider: the status that DescribeStacks returns is all that tells it.
func TestTheRollbackIsSeenByTheProvider(t *testing.T) {
	w := newWorld(t, nil)
	var seen []types.StackStatus
	w.answer = func(int, request) map[string]any {
		out, err := sdk.NewFromConfig(w.server.Config()).DescribeStacks(context.Background(), &sdk.DescribeStacksInput{StackName: &w.requests[0].StackId})
		if err != nil {
			t.Error(err)
			return nil
		}
		seen = append(seen, out.Stacks[0].StackStatus)
		return map[string]any{}
	}
	w.run(func() {
		_, events := w.updated(with("After", "Fails", []string{"Update"}))
		w.expect("the update", events, `
1m0s shop UPDATE_IN_PROGRESS: User Initiated
1m0s Function UPDATE_COMPLETE
1m0s VersionB CREATE_COMPLETE
2m0s Rollout UPDATE_COMPLETE
2m0s After UPDATE_FAILED: as the template wants
2m0s shop UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to create or update: [After].
2m0s Function UPDATE_COMPLETE
3m0s Rollout UPDATE_COMPLETE
3m0s After UPDATE_COMPLETE
3m0s shop UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
3m0s VersionB DELETE_COMPLETE
3m0s shop UPDATE_ROLLBACK_COMPLETE`)
	})
	if len(seen) != 3 || seen[0] != types.StackStatusCreateInProgress || seen[1] != types.StackStatusUpdateInProgress || seen[2] != types.StackStatusUpdateRollbackInProgress {
		t.Errorf("the provider saw %s", seen)
	}
}

// TestACancelledUpdate: the opposite Update arrives while the first is still handled, whose answer then has no effect.
func TestACancelledUpdate(t *testing.T) {
	w := newWorld(t, nil)
	w.run(func() {
		s := w.created()
		w.takes = 10 * time.Minute
		n := len(s.Events())
		if err := s.Update(template("B")); err != nil {
			t.Error(err)
		}
		w.clock.Sleep(4 * time.Minute)
		if err := s.CancelUpdate(); err != nil {
			t.Error(err)
		}
		s.Wait()
		if err := s.CancelUpdate(); err == nil {
			t.Error("a stack is cancelled that is not updated")
		}
		w.expect("the update", log(s, n), `
1m0s shop UPDATE_IN_PROGRESS: User Initiated
1m0s Function UPDATE_COMPLETE
1m0s VersionB CREATE_COMPLETE
5m0s Rollout UPDATE_FAILED: Resource update cancelled
5m0s shop UPDATE_ROLLBACK_IN_PROGRESS: The following resource(s) failed to create or update: [Rollout].
5m0s Function UPDATE_COMPLETE
15m0s Rollout UPDATE_COMPLETE
15m0s shop UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
15m0s VersionB DELETE_COMPLETE
15m0s shop UPDATE_ROLLBACK_COMPLETE`)
	})
	w.expect("the requests", w.asked(), `
0s Create  1
1m0s Update rollout 2 after 1
5m0s Update rollout 1 after 2`)
	late := w.Answers()[1]
	if late.Accepted || late.Ignored == "" || late.Status != 200 || late.RequestID != w.requests[1].RequestId {
		t.Errorf("the late answer: %+v", late)
	}
}

func TestARollbackThatFailsIsContinued(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(n int, _ request) map[string]any {
		if n == 2 || n == 3 {
			return map[string]any{"Status": "FAILED", "Reason": "no"}
		}
		return map[string]any{}
	}
	w.run(func() {
		s, _ := w.updated()
		if s.Status() != types.StackStatusUpdateRollbackFailed {
			t.Errorf("the stack is %s", s.Status())
		}
		n := len(s.Events())
		if err := s.ContinueRollback(); err != nil {
			t.Error(err)
		}
		s.Wait()
		w.expect("the end", log(s, n), `
3m0s shop UPDATE_ROLLBACK_IN_PROGRESS: User Initiated
4m0s Rollout UPDATE_COMPLETE
4m0s shop UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS
4m0s VersionB DELETE_COMPLETE
4m0s shop UPDATE_ROLLBACK_COMPLETE`)
	})
	w.expect("the requests", w.asked(), `
0s Create  1
1m0s Update rollout 2 after 1
2m0s Update rollout 1 after 2
3m0s Update rollout 1 after 2`)
}

// TestADeleteWithAnInventedID: another resource fails while the custom resource is being created.
func TestADeleteWithAnInventedID(t *testing.T) {
	w := newWorld(t, nil)
	w.run(func() {
		s, err := w.Create("shop", template("A", func(all map[string]cloudformation.Resource) {
			all["Beside"] = cloudformation.Resource{Type: "Local::Resource", Properties: map[string]any{"Seconds": 20, "Fails": []string{"Create"}}}
		}))
		if err != nil {
			t.Error(err)
			return
		}
		s.Wait()
		w.expect("the creation", log(s, 0), `
0s shop CREATE_IN_PROGRESS: User Initiated
0s Function CREATE_COMPLETE
0s VersionA CREATE_COMPLETE
20s Beside CREATE_FAILED: as the template wants
20s Rollout CREATE_FAILED: Resource creation cancelled
20s shop ROLLBACK_IN_PROGRESS: The following resource(s) failed to create or update: [Beside, Rollout].
40s Beside DELETE_COMPLETE
1m20s Rollout DELETE_COMPLETE
1m20s VersionA DELETE_COMPLETE
1m20s Function DELETE_COMPLETE
1m20s shop ROLLBACK_COMPLETE`)
	})
	w.expect("the requests", w.asked(), `
0s Create  1
20s Delete shop-Rollout-`+suffixOf(w.requests[1].PhysicalResourceId)+` 1`)
}

func suffixOf(physicalID string) string {
	if len(physicalID) < 12 {
		return "?"
	}
	return physicalID[len(physicalID)-12:]
}

// TestACreationThatFails: the Delete has the ID of the answer; without an ID in it, the reason is lost, and the ID is invented.
func TestACreationThatFails(t *testing.T) {
	for id, want := range map[string]string{"of-the-answer": "of-the-answer", "": "shop-Rollout-"} {
		w := newWorld(t, nil)
		w.answer = func(n int, _ request) map[string]any {
			if n == 1 {
				return map[string]any{"Status": "FAILED", "Reason": "no", "PhysicalResourceId": id}
			}
			return map[string]any{}
		}
		w.run(func() {
			if s := w.created(); s.Status() != types.StackStatusRollbackComplete {
				t.Errorf("the stack is %s", s.Status())
			}
		})
		if last := w.requests[1]; last.RequestType != "Delete" || len(last.PhysicalResourceId) < len(want) || last.PhysicalResourceId[:len(want)] != want {
			t.Errorf("with the ID %q: %s", id, w.asked())
		}
	}
}

// TestAnotherPhysicalID: what an update replaces is deleted at its end, and in a rollback what had replaced it.
func TestAnotherPhysicalID(t *testing.T) {
	for failing, want := range map[bool]string{
		false: "0s Create  1\n1m0s Update first 2 after 1\n2m0s Delete first 1",
		true:  "0s Create  1\n1m0s Update first 2 after 1\n2m0s Update second 1 after 2\n3m0s Delete second 2",
	} {
		w := newWorld(t, nil)
		w.answer = func(_ int, r request) map[string]any {
			return map[string]any{"PhysicalResourceId": map[string]string{"1": "first", "2": "second"}[number(r.ResourceProperties)]}
		}
		w.run(func() {
			var changes []func(map[string]cloudformation.Resource)
			if failing {
				changes = append(changes, with("After", "Fails", []string{"Update"}))
			}
			w.updated(changes...)
		})
		w.expect("the requests", w.asked(), want)
	}
}
