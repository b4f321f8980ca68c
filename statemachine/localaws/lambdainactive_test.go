package localaws

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// TestAnInactiveVersionIsRestored by the first invocation, which fails, and not before.
func TestAnInactiveVersionIsRestored(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		once := func(o *lambda.Options) { o.RetryMaxAttempts = 1 } // the SDK repeats what fails with status 502
		invokes := func(when, qualifier, want string) {
			t.Helper()
			_, err := w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: &qualifier}, once)
			if code, _ := outcome(err); code != want {
				t.Errorf("%s, version %s: %q, want %q", when, qualifier, code, want)
			}
		}
		stands := func(when string, want types.State, reason types.StateReasonCode) {
			t.Helper()
			got, err := w.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")})
			check(t, err)
			if got.State != want || got.StateReasonCode != reason || got.LastUpdateStatus != types.LastUpdateStatusSuccessful {
				t.Errorf("%s: %s %s, %s", when, got.State, got.StateReasonCode, got.LastUpdateStatus)
			}
		}
		check(t, w.MakeInactive("f", "1", time.Minute))
		check(t, w.MakeInactive("f", "3", 10*time.Minute))
		w.clock.Sleep(time.Hour)
		stands("after an hour", types.StateInactive, types.StateReasonCodeIdle)
		invokes("first", "live", "ResourceNotReadyException")
		stands("invoked", types.StatePending, types.StateReasonCodeRestoring)
		invokes("first", "3", "ResourceNotReadyException")
		w.clock.Sleep(59 * time.Second)
		invokes("too early", "1", "ResourceConflictException")
		invokes("of no concern", "2", "")
		w.clock.Sleep(time.Second)
		stands("restored", types.StateActive, "")
		invokes("restored", "live", "")
		invokes("restored later", "3", "ResourceConflictException")
		w.clock.Sleep(10 * time.Minute)
		invokes("in the end", "3", "")

		check(t, w.MakeInactive("f", "1", 0))
		for i, want := range []bool{false, true} {
			if got := w.Invokable("f", "1", w.clock.Now()); got != want {
				t.Errorf("request %d is served: %v", i, got)
			}
		}
		check(t, w.MakeInactive("f", "1", time.Minute))
		first := w.clock.Now()
		for after, want := range []bool{false, true} { // in minutes, asked in retrospect
			if got := w.Invokable("f", "1", first.Add(time.Duration(after)*time.Minute)); got != want {
				t.Errorf("the request after %d minutes is served: %v", after, got)
			}
			w.clock.Sleep(2 * time.Minute)
			stands("in retrospect", types.StateActive, "")
			if w.Invokable("f", "1", first.Add(59*time.Second)) {
				t.Error("a request from the time when it was restored is served")
			}
		}
		if err := w.MakeInactive("f", "9", 0); err == nil || w.Invokable("f", "9", w.clock.Now()) || w.Invokable("g", "1", w.clock.Now()) {
			t.Errorf("a version that does not exist: %v", err)
		}
	})
}

// TestAnUpdateAndARestorationEndApart: each at its own time.
func TestAnUpdateAndARestorationEndApart(t *testing.T) {
	w := newWorld(t, Options{})
	check(t, w.MakeInactive("f", "1", time.Minute))
	w.Server.lambda.updating = 10 * time.Minute
	if w.Invokable("f", "1", w.clock.Now()) {
		t.Error("an inactive version serves")
	}
	_, err := w.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: archive("new")})
	check(t, err)
	w.clock.Sleep(time.Minute)
	got, err := w.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	check(t, err)
	if !w.Invokable("f", "1", w.clock.Now()) || got.LastUpdateStatus != types.LastUpdateStatusInProgress {
		t.Errorf("after the restoration, the update is %s", got.LastUpdateStatus)
	}
}
