package rehearsal

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// TestAStateIsTakenByItsTextAlone, once, and where it is the call's last member.
func TestAStateIsTakenByItsTextAlone(t *testing.T) {
	recent := &states{}
	state := rollout.State{Progress: rollout.Progress{Step: 3}}
	state.Gates.Alarms = []string{"not in the execution's data"}
	last := rollout.State{}
	handler := recent.handlerOfCalls(func(_ context.Context, call task.Call) (rollout.State, error) {
		last = call.Rollout
		return state, nil
	})
	text, err := handler.Invoke(t.Context(), []byte(`{"execution":"e","rollout":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	var decoded rollout.State
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	begin := `{"execution":"e","now":"2026-01-01T00:00:00Z","retries":2,"rollout":`
	for name, each := range map[string]struct {
		payload string
		known   bool
		step    int
	}{
		"the text":            {begin + string(text) + "}", true, 3},
		"another state":       {begin + `{"progress":{"step":4}}}`, false, 4},
		"with white space":    {begin + " " + string(text) + "}", false, 3},
		"in another object":   {begin + `{"plan":{},"rollout":` + string(text) + "}}", false, 0},
		"under another name":  {`{"execution":"e","x,\"rollout":` + string(text) + "}", false, 0},
		"not the last member": {begin + string(text) + `,"retries":2}`, false, 3},
	} {
		recent.remember(text, state)
		call, err := recent.take([]byte(each.payload))
		if err != nil || call.Rollout.Progress.Step != each.step || call.Execution != "e" {
			t.Errorf("%s: %+v, %v", name, call, err)
		}
		if taken := recent.text == nil; taken != each.known {
			t.Errorf("%s: taken from memory: %v", name, taken)
		}
		if each.known && (!reflect.DeepEqual(call.Rollout.Gates, decoded.Gates) || call.Retries != 2 || call.Now.IsZero()) {
			t.Errorf("%s: %+v", name, call)
		}
	}
	if _, err := handler.Invoke(t.Context(), []byte(begin+string(text)+"}")); err != nil || last.Progress.Step != 3 {
		t.Errorf("%+v, %v", last, err)
	}
}

// TestAllOfAStateIsInItsJSON but the request's gates, which handlers leave out, too.
func TestAllOfAStateIsInItsJSON(t *testing.T) {
	var hidden []string
	seen := map[reflect.Type]bool{}
	var look func(path string, of reflect.Type)
	look = func(path string, of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map || of.Kind() == reflect.Array {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] || of.PkgPath() == "time" {
			return
		}
		seen[of] = true
		for field := range of.NumField() {
			f := of.Field(field)
			if f.Tag.Get("json") == "-" || !f.IsExported() {
				hidden = append(hidden, path+f.Name)
				continue
			}
			look(path+f.Name+".", f.Type)
		}
	}
	look("", reflect.TypeFor[rollout.State]())
	if diff := cmp.Diff([]string{"Request.Gates"}, hidden); diff != "" {
		t.Errorf("JSON leaves out:\n%s", diff)
	}
}

// TestEvidenceTakesItsPlaceInAState as encoding/json would have written it.
func TestEvidenceTakesItsPlaceInAState(t *testing.T) {
	recent := &states{}
	known, err := recent.evidence.Encode(&health.Evidence{Step: 3, Until: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	state := func(evidence string, payloads ...json.RawMessage) rollout.State {
		s := rollout.State{Evidence: json.RawMessage(evidence), Health: &rollout.Health{Reason: string(evidencePlace) + " <&>\u2028"}}
		s.NewVersion = string(evidencePlace)
		for _, payload := range payloads {
			s.Hooks.PreTraffic = append(s.Hooks.PreTraffic, rollout.Hook{Payload: payload})
		}
		return s
	}
	for name, s := range map[string]rollout.State{
		"none":             state(""),
		"known":            state(string(known)),
		"not known":        state(`{ "step": 3 }`),
		"of a user, too":   state(string(known), evidencePlace),
		"of a user, twice": state(string(known), json.RawMessage(`{"evidence":"\u0065vidence"}`), evidencePlace),
		"with payloads":    state(string(known), json.RawMessage(`{"evidence":0, "a": "<b>"}`)),
	} {
		want, err := encoded(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := recent.encode(s); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
}
