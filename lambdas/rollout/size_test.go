package rollout_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// longText draws texts that are much longer as JSON, or have many bytes.
func longText(most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		n := rapid.IntRange(1, most).Draw(t, "length")
		return strings.Repeat(rapid.SampledFrom([]string{"<", "x", "警", `"`, `\`, "\u2028", "é", "🚀", "\x7f"}).Draw(t, "of"), n)
	})
}

// bigRequest draws requests that come near to what an execution holds.
func bigRequest(t *rapid.T) string {
	part := func(name string, of func(i int) string) string {
		var all []string
		for i := range rapid.IntRange(1, 10).Draw(t, name) {
			all = append(all, of(i))
		}
		return `"` + name + `": [` + strings.Join(all, ",") + `]`
	}
	text := func(label string, most int) string { return string(asTasksAnswer(t, longText(most).Draw(t, label))) }
	fields := []string{`"function-name": "` + strings.Repeat("f", 64) + `"`, `"alias-name": "` + strings.Repeat("a", 128) + `"`, `"new-version": "123456789012345678"`}
	if rapid.Bool().Draw(t, "custom") {
		n := rapid.SampledFrom([]int{1, 500, 1000}).Draw(t, "weights")
		weights := make([]string, n)
		for i := range weights {
			weights[i] = fmt.Sprintf("%.4f", float64(i+1)/float64(n))
		}
		fields = append(fields, `"type": "custom", "interval": 31000, "weights": [`+strings.Join(weights, ",")+`]`)
	} else {
		fields = append(fields, fmt.Sprintf(`"type": "linear", "interval": 31000, "steps": %d`, rapid.SampledFrom([]int{1, 900, 1000}).Draw(t, "steps")))
	}
	var gates []string
	if rapid.Bool().Draw(t, "alarms") {
		length := rapid.SampledFrom([]int{10, 170, 240}).Draw(t, "of an alarm")
		letter := rapid.SampledFrom([]string{"a", "警", "<", `\"`}).Draw(t, "letter")
		var names []string
		for i := range rapid.SampledFrom([]int{10, 90, 100}).Draw(t, "alarm names") {
			names = append(names, fmt.Sprintf(`"%d%s"`, i, strings.Repeat(letter, length)))
		}
		gates = append(gates, `"alarms": [`+strings.Join(names, ",")+`]`)
	}
	if rapid.Bool().Draw(t, "with probes") {
		gates = append(gates, part("probes", func(i int) string {
			return fmt.Sprintf(`{"name": "p%d", "payload": %s, "expect": %s}`, i, text("payload", 2500), text("expect", 2500))
		}))
	}
	if rapid.Bool().Draw(t, "with endpoints") {
		gates = append(gates, part("endpoints", func(i int) string {
			return fmt.Sprintf(`{"name": "e%d", "url": "https://example.com/%s", "method": "POST", "body": %s}`, i, strings.Repeat("x", 1000), text("body", 4000))
		}))
	}
	if rapid.Bool().Draw(t, "with checks") {
		gates = append(gates, part("checks", func(i int) string { return fmt.Sprintf(`{"function": "c%d", "payload": %s}`, i, text("payload", 3000)) }))
	}
	if rapid.Bool().Draw(t, "with hooks") {
		fields = append(fields, `"hooks": {`+part("pre-traffic", func(i int) string { return fmt.Sprintf(`{"function": "h%d", "payload": %s}`, i, text("payload", 3000)) })+`}`)
	}
	return `{` + strings.Join(append(fields, `"health": {`+strings.Join(gates, ",")+`}`), ",") + `}`
}

// worst is a rollout's data at its largest: everything that tasks and Step
// Functions add is as long as it can be.
func worst(t *rapid.T, req rollout.Request) rollout.State {
	long := func(label string) string { return longText(7000).Draw(t, label) }
	steps, err := req.Schedule()
	if err != nil {
		t.Fatal(err)
	}
	description := rapid.SampledFrom([]string{strings.Repeat("\x01", 256), strings.Repeat("警", 256), strings.Repeat(`"`, 256)}).Draw(t, "description")
	at := time.Date(2026, 12, 31, 23, 59, 59, 999999999, time.UTC)
	s := rollout.State{Request: req, Begin: rollout.BeginPreTraffic, Evidence: json.RawMessage(`"` + strings.Repeat("e", rollout.MaxEvidence-2) + `"`)}
	s.Plan = rollout.Plan{
		Baseline: "123456789012345678", Owner: strings.Repeat("🚀", 80), Started: at, Timeout: 900, Description: description,
		Gates: req.Gates, RedAlarms: req.Gates.Alarms, Steps: steps,
		Undo: rollout.AWS{Command: "lambda update-alias", Region: "ap-southeast-2", Input: map[string]string{
			"FunctionName": req.FunctionName, "Name": req.AliasName, "FunctionVersion": "123456789012345678", "Description": description, "RoutingConfig": strings.Repeat("x", 40)}}.String(),
	}
	s.Plan.ManagedInstances, s.Plan.Durable = true, true
	s.Plan.Warnings = s.Warnings()
	s.Progress = rollout.Progress{Step: 1, Of: len(steps), Weight: steps[0].Weight, RevisionID: strings.Repeat("r", 100), Began: at, Since: at, Part: 1000, Events: 20000, Checks: 1 << 30, Unverified: 1000,
		Claimed: true, Allocating: at, Continuation: strings.Repeat("🚀", 80)}
	for range req.Gates.Alarms {
		s.Progress.Alarms = append(s.Progress.Alarms, rollout.SeenAlarm{OK: true, Since: at, Gaps: true})
	}
	for _, probe := range req.Gates.Probes {
		s.Progress.Conclusive = append(s.Progress.Conclusive, "probes."+probe.Name)
	}
	s.Plan.RevisionID, s.Plan.Provisioned = strings.Repeat("r", 100), &rollout.Provisioned{Alias: 1 << 30, Allocate: 1 << 30, Release: 1 << 30}
	names := []string{"errors", "latency", "alarms", "orders"}
	for i := range 60 {
		names = append(names, fmt.Sprintf("endpoint %064d", i))
	}
	var readings []rollout.Reading
	for _, name := range names {
		readings = append(readings, rollout.Reading{Gate: name, Status: rollout.Inconclusive, Verdict: rollout.VerdictInconclusive, Reason: long("reading")})
	}
	var orders []rollout.Order
	for i := range 12 {
		orders = append(orders, rollout.Order{Command: rollout.Command(long("command")), By: long("by"), At: at, Number: int64(1<<60 + i)})
	}
	s = s.Check(at, rollout.Health{Readings: readings, Window: rollout.Window{From: at, To: at}}, rollout.Instructions{Orders: orders})
	s.Progress.ApprovalRequestedAt = at
	for i := range rollout.MaxFailedDeliveries + 2 {
		s.Notifications = append(s.Notifications, rollout.FailedDelivery{Event: rollout.EventApprovalWanted, Step: 1000, Time: at, Tries: i,
			Target: "arn:aws-us-gov:sns:us-gov-west-1:123456789012:" + strings.Repeat("t", 256), Error: long("undelivered")})
	}
	s.Notifications = rollout.KeepFailedDeliveries(s.Notifications)
	cause := rapid.SampledFrom([]string{strings.Repeat("警", 32768), strings.Repeat(`"`, 32768), strings.Repeat("🚀", 16384)}).Draw(t, "cause")
	s.Error = &rollout.Caught{Error: strings.Repeat("警", 256), Cause: cause}
	name, reason := s.RollbackReason()
	s.Outcome = &rollout.Outcome{Result: rollout.RolledBack, Error: name, Reason: reason}
	return s
}

// TestWhatIsTakenFitsIntoAnExecution: no rollout of a request that is taken
// comes to more data than Step Functions holds, whatever happens in it.
func TestWhatIsTakenFitsIntoAnExecution(t *testing.T) {
	taken, refused, largest := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		input := bigRequest(t)
		req, err := rollout.Decode([]byte(input))
		var invalid *rollout.RequestError
		if errors.As(err, &invalid) {
			if len(input) <= rollout.MaxInput && strings.Contains(err.Error(), "of the execution's data") {
				refused++
			}
			return
		}
		taken++
		arn := "arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:" + strings.Repeat("m", 80) + ":" + strings.Repeat("🚀", 80)
		handed := asTasksAnswer(t, map[string]any{"execution": arn, "phase": "post-traffic", "now": time.Now(), "retries": 1 << 30, "redrives": 1 << 30, "rollout": worst(t, req)})
		if largest = max(largest, len(handed)); len(handed) > rollout.MaxState {
			t.Fatalf("a task is handed %d bytes", len(handed))
		}
	})
	t.Logf("%d requests taken, the largest data %d bytes of %d; %d refused for their size", taken, largest, rollout.MaxState, refused)
	if taken == 0 || refused == 0 {
		t.Error("nothing was tried")
	}
}

// TestTooMuchForAnExecutionIsRefused, at the path of what takes most of it.
func TestTooMuchForAnExecutionIsRefused(t *testing.T) {
	var alarms, weights []string
	for i := range 100 {
		alarms = append(alarms, fmt.Sprintf(`"%03d%s"`, i, strings.Repeat("警", 110)))
	}
	for i := range 1000 {
		weights = append(weights, fmt.Sprint(float64(i+1)/1000))
	}
	request := func(interval int, more string) string {
		return fmt.Sprintf(`{"function-name": "f", "alias-name": "a", "new-version": "2", "interval": %d, %s}`, interval, more)
	}
	for _, test := range []struct{ input, want string }{
		{request(60, `"type": "all-at-once", "health": {"alarms": [`+strings.Join(alarms, ",")+`]}`), ""},
		{request(60, `"type": "custom", "weights": [`+strings.Join(weights, ",")+`], "health": {"alarms": [`+strings.Join(alarms[:30], ",")+`]}`), ""},
		{request(60, `"type": "custom", "weights": [`+strings.Join(weights, ",")+`], "health": {"alarms": [`+strings.Join(alarms, ",")+`]}`),
			"health.alarms must take at most "},
	} {
		_, err := rollout.Decode([]byte(test.input))
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%.200s: %v", test.input, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), "\n- "+test.want)):
			t.Errorf("want %q: %v", test.want, err)
		}
		t.Log(err)
	}
}
