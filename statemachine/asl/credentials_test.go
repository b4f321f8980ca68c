package asl

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// TestCredentialsAreARole: a nested execution is started with the role that the task's
// Credentials have, and no other form is accepted.
func TestCredentialsAreARole(t *testing.T) {
	states := func(credentials string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + nestedARN + `","Credentials":` + credentials + `,"Parameters":{"StateMachineArn":"m"},"End":true}}}`
	}
	for credentials, want := range map[string]string{
		`{"RoleArn":"arn:aws:iam::123456789012:role/r"}`: "arn:aws:iam::123456789012:role/r",
		`{"RoleArn.$":"$.role"}`:                         "from-input",
		`{"RoleArn.$":"$.none"}`:                         "",
		`{"RoleArn.$":"$.number"}`:                       "",
	} {
		definition, err := Parse([]byte(states(credentials)))
		if err != nil {
			t.Fatalf("%s: %v", credentials, err)
		}
		clock, role := NewClock(epoch), ""
		execution, err := definition.Start(Options{Clock: clock, Input: []byte(`{"role":"from-input","number":7}`), Invoke: func(context.Context, string, json.RawMessage) (json.RawMessage, error) { return nil, nil },
			StartExecution: func(s StartExecution) (*Execution, error) {
				role = s.RoleARN
				return nil, &TaskError{Name: "Enough"}
			}})
		if err != nil {
			t.Fatal(err)
		}
		if err := clock.Run(); err != nil {
			t.Fatal(err)
		}
		if failed := execution.Result().Error; role != want || (want == "") != (failed == "States.Runtime") {
			t.Errorf("%s: started with %q, and ended with %s", credentials, role, failed)
		}
	}
	for credentials, says := range map[string]string{
		`{}`: "have no RoleArn", `7`: "Credentials", `{"RoleArn":""}`: "must be a non-empty string", `{"RoleArn":7}`: "must be a non-empty string",
		`{"RoleArn":"r","RoleArn.$":"$.r"}`: "RoleArn", `{"RoleArn":"r","Key":"k"}`: "Key", `{"RoleArn.$":"role"}`: "RoleArn",
	} {
		if _, err := Parse([]byte(states(credentials))); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", credentials, err)
		}
	}
}
