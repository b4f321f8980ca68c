package rehearsal

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/runtimeapi"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// shortest is the shortest rollout that there is.
const shortest = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2",
	"type": "all-at-once", "interval": 10, "check-interval": 10, "health": {"alarms": ["an-alarm"]}}`

// TestRolloutsByTheOneFunctionDeployersExecutable carries out the shortest
// rollouts by SimpleDeploy's executable, which sleeps in real time: two at once,
// of which one sees an alarm.
func TestRolloutsByTheOneFunctionDeployersExecutable(t *testing.T) {
	t.Parallel()
	const name = "SimpleDeploy"
	first, second := newStage(t), newStage(t)
	first.add(t, name, "lambdas/simpledeploy", sdkClients[name])
	second.start(t, name, first.figures[name].path)

	var both sync.WaitGroup
	both.Go(func() { first.deploys(t, name, types.StateValueOk, rollout.Promoted, "2", "Rollout promoted") })
	both.Go(func() { second.deploys(t, name, types.StateValueAlarm, rollout.RolledBack, "1", "Rollout rolled back") })
	both.Wait()

	var refused *runtimeapi.Failure
	_, err := first.instances[functionARN(name)].Invoke(json.RawMessage(blogs))
	if !errors.As(err, &refused) || refused.Type != "TooLong" || !strings.Contains(string(refused.Payload), "the plan needs 20 min 0 s") {
		t.Errorf("20 minutes in a function of 15: %v", err)
	}
	first.print(t, name)
}

// deploys has the process carry out the shortest rollout in a local AWS in real
// time, where an alarm has a state from the first shift on.
func (s *stage) deploys(t *testing.T, name string, alarm types.StateValue, want any, version, notified string) {
	var server *localaws.Server
	server = localaws.New(localaws.Options{OnCall: func(c localaws.Call) {
		if c.Operation == "UpdateAlias" {
			if err := server.SetAlarmState("an-alarm", alarm, "as the test has it"); err != nil {
				t.Error(err)
			}
		}
	}})
	_, err := server.AddTopic(topicName)
	if err := errors.Join(err, server.AddFunction("MyFunction", 1, 2), server.AddAlias("MyFunction", "MyAlias", "1", "Deployed"),
		server.AddAlarm("an-alarm", false), server.SetAlarmState("an-alarm", types.StateValueOk, "as the test has it")); err != nil {
		t.Error(err)
		return
	}
	s.aws = server
	answer, err := s.instances[functionARN(name)].Invoke(json.RawMessage(shortest))
	var state rollout.State
	if err := errors.Join(err, json.Unmarshal(answer, &state)); err != nil || state.Outcome == nil || state.Outcome.Result != want {
		t.Errorf("it is not %v: %v %s\n%s", want, err, answer, s.output())
	}
	after, _ := server.Alias("MyFunction", "MyAlias")
	if diff := cmp.Diff(localaws.Alias{Function: "MyFunction", Name: "MyAlias", Version: version, Description: "Deployed", RevisionID: after.RevisionID}, after); diff != "" {
		t.Errorf("the alias (-want +got): %s", diff)
	}
	var events []string
	for _, event := range server.Events() {
		events = append(events, event.DetailType)
	}
	if diff := cmp.Diff([]string{"Rollout started", notified}, events); diff != "" {
		t.Errorf("notified (-want +got): %s", diff)
	}
}
