package statemachine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/releasing"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// knownErrors returns the names of the errors of the tasks of releases.
func knownErrors(t *testing.T) []string {
	return append(task.ErrorNames(), errorTypes(t, "../lambdas/releasing")...)
}

// TestReleasesAreRetried: each task of a release is retried and caught, with the refusals as
// the only errors that end it at once.
func TestReleasesAreRetried(t *testing.T) {
	known := knownErrors(t)
	for _, name := range releasing.Refusals() {
		if !slices.Contains(known, name) {
			t.Errorf("there is no error %s", name)
		}
	}
	good := statemachine.ReleaseDefinition
	if err := checkReleaseRetries(good, known); err != nil {
		t.Error(err)
	}
	const refusals = `["InvalidRequest", "MembersRefused", "NotContinued", "NotConcluded", "AccessDenied"]`
	for name, broken := range map[string]string{
		"a name that does not exist":     strings.Replace(good, `"MembersRefused"`, `"MemberRefused"`, 1),
		"a refusal that is retried":      strings.Replace(good, `"MaxAttempts": 0`, `"MaxAttempts": 1`, 1),
		"a refusal that is missing":      strings.Replace(good, `"ErrorEquals": `+refusals, `"ErrorEquals": ["InvalidRequest"]`, 1),
		"a refusal that is not caught":   strings.Replace(good, `{ "ErrorEquals": `+refusals, `{ "ErrorEquals": ["InvalidRequest"]`, 1),
		"a retry without jitter":         strings.Replace(good, `"JitterStrategy": "FULL"`, `"JitterStrategy": "NONE"`, 1),
		"a check that gives up early":    strings.Replace(good, `"MaxAttempts": 30`, `"MaxAttempts": 3`, 1),
		"an error that is not caught":    strings.Replace(good, `{ "ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Explain failed check" }`, ``, 1),
		"a failed part started again":    strings.Replace(good, `"StepFunctions.ThrottlingException"`, `"States.TaskFailed", "StepFunctions.ThrottlingException"`, 1),
		"a catch that loses the release": strings.Replace(good, `"ResultPath": "$.error", "Next": "Wait"`, `"ResultPath": "$", "Next": "Wait"`, 1),
	} {
		if broken == good || checkReleaseRetries(broken, known) == nil {
			t.Errorf("the check passes a workflow with %s", name)
		}
	}
}

// checkReleaseRetries checks the Retry and the Catch of each state that calls something.
func checkReleaseRetries(definition string, known []string) error {
	var machine struct {
		States map[string]struct {
			handlers
			Type  string
			Catch []struct {
				ErrorEquals      []string
				ResultPath, Next string
			}
		}
	}
	if err := json.Unmarshal([]byte(definition), &machine); err != nil {
		return err
	}
	var wrong []error
	fail := func(state, format string, a ...any) {
		wrong = append(wrong, fmt.Errorf(state+": "+format, a...))
	}
	for name, state := range machine.States {
		if state.Type != "Task" {
			continue
		}
		plans := strings.HasPrefix(name, "Plan")
		retry, least := state.Retry, 30
		if plans {
			least = 8
			if len(retry) == 0 || !slices.Equal(retry[0].ErrorEquals, releasing.Refusals()) || retry[0].MaxAttempts == nil || *retry[0].MaxAttempts != 0 {
				fail(name, "the first retrier is not that of the refusals: %+v", retry)
				continue
			}
			retry = retry[1:]
		}
		retried := []string{"States.ALL"}
		if name == "Continue" {
			retried, least = nestedRetries, 8
		}
		if len(retry) != 1 || !slices.Equal(retry[0].ErrorEquals, retried) || retry[0].MaxAttempts == nil || *retry[0].MaxAttempts < least ||
			retry[0].BackoffRate != 2 || retry[0].IntervalSeconds > 2 || retry[0].MaxDelaySeconds != 60 || retry[0].JitterStrategy != "FULL" {
			fail(name, "all other errors are retried as %+v", retry)
		}
		catch := state.Catch
		if plans {
			if len(catch) == 0 || !slices.Equal(catch[0].ErrorEquals, releasing.Refusals()) || catch[0].Next != "Explain refusal" {
				fail(name, "the first catcher is not that of the refusals")
				continue
			}
			catch = catch[1:]
		} else if len(catch) == 1 && catch[0].ResultPath != "$.error" {
			fail(name, "its error replaces the release's data")
		}
		if len(catch) != 1 || !slices.Equal(catch[0].ErrorEquals, []string{"States.ALL"}) {
			fail(name, "not every error is caught")
		}
		for _, c := range state.Catch {
			for _, e := range c.ErrorEquals {
				if e != "States.ALL" && !slices.Contains(known, e) {
					fail(name, "there is no error %s", e)
				}
			}
		}
	}
	return errors.Join(wrong...)
}

// TestAReleaseIsCheckedForAQuarterOfAnHour bounds how long AWS may fail until another
// execution takes over.
func TestAReleaseIsCheckedForAQuarterOfAnHour(t *testing.T) {
	for _, s := range []script{{"CheckRelease": {"!Throttled"}}, {"CheckRelease": {"revert"}, "RevertRelease": {"!Throttled"}}} {
		_, result := playRelease(t, s)
		if took := result.Stop.Sub(result.Start); took < 10*time.Minute || took > time.Hour {
			t.Errorf("gave up after %s", took)
		}
	}
	for _, name := range nestedRetries {
		history, _ := playRelease(t, script{"CheckRelease": {"hand-over"}, "Continue": {"!" + name, "ended:promoted"}})
		if path := strings.Join(history.Path(), " "); !strings.HasSuffix(path, "Decide Continue Continued End Promoted") {
			t.Errorf("%s: %s", name, path)
		}
	}
}
