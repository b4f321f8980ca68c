package asl

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A loop of waits: 1 event to start, 2 a wait.
func TestHistoryLimit(t *testing.T) {
	r, h := run(t, parse(t, machine(`"A":{"Type":"Wait","Seconds":1,"Next":"B"},"B":{"Type":"Wait","Seconds":1,"Next":"A"}`)), `{}`, nil, nil)
	last := h[len(h)-1]
	if r.Status != Failed || r.Events != MaxEvents || r.Error != "States.Runtime" || !strings.Contains(r.Cause, "maximum number of history events (25000)") {
		t.Errorf("%+v", r)
	}
	if last.Type != ExecutionFailed || last.ID != MaxEvents || h[len(h)-2].Type != "WaitStateExited" {
		t.Errorf("ends with %s, %s (%d)", h[len(h)-2].Type, last.Type, last.ID)
	}
	if took := r.Stop.Sub(r.Start); took != 12499*time.Second {
		t.Errorf("took %v", took)
	}
}

// The 25,000th event may be ExecutionSucceeded, not one earlier, and no Catch helps.
func TestHistoryLimitToTheEvent(t *testing.T) {
	// 1 + rounds·(5+2) + 2 a Pass + 2 for Succeed + the last event.
	const rounds = 3570
	loop := `"A":{"Type":"Task","Resource":"fn:F","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Z"}],"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Variable":"$","BooleanEquals":true,"Next":"A"}],"Default":"%s"},"Z":{"Type":"Pass","Next":"S0"},%s`
	for _, c := range []struct {
		passes int // 2 events each, then Succeed's 2 and the last one
		want   Status
	}{{3, Succeeded}, {4, Failed}} {
		var states []string
		for i := range c.passes {
			states = append(states, fmt.Sprintf(`"S%d":{"Type":"Pass","Next":"S%d"}`, i, i+1))
		}
		states = append(states, fmt.Sprintf(`"S%d":{"Type":"Succeed"}`, c.passes))
		answers := append(strings.Split(strings.Repeat("true,", rounds-1), ",")[:rounds-1], "false")
		r, h := run(t, parse(t, machine(fmt.Sprintf(loop, "S0", strings.Join(states, ",")))), `{}`, script{"F": answers}, nil)
		want := int64(1 + rounds*7 + 2*c.passes + 3)
		if want > MaxEvents {
			want = MaxEvents
		}
		if r.Status != c.want || r.Events != want {
			t.Errorf("%d passes: %s after %d events (%s), want %s after %d", c.passes, r.Status, r.Events, r.Error, c.want, want)
		}
		for _, s := range h.Path() {
			if s == "Z" {
				t.Error("a Catch ran at the limit")
			}
		}
	}
}

// An execution may take all of its time to the very instant, and what happens
// at that instant, but is not let go on after it.
func TestDeadlineToTheInstant(t *testing.T) {
	const days = 24 * time.Hour
	task := `"A":{"Type":"Task","Resource":"fn:F","Next":"B"},"B":{"Type":"Task","Resource":"fn:G","End":true}`
	for _, c := range []struct {
		name, states string
		script       script
		want         Status
	}{
		{"a wait", `"A":{"Type":"Wait","Seconds":31536000,"Next":"B"},"B":{"Type":"Wait","Seconds":0,"End":true}`, nil, Succeeded},
		{"a longer wait", `"A":{"Type":"Wait","Seconds":31536000,"Next":"B"},"B":{"Type":"Wait","Seconds":1,"End":true}`, nil, TimedOut},
		{"tasks", task, script{"F": {"@8760h 1"}, "G": {"2"}}, Succeeded},
		{"a longer task", task, script{"F": {"@8760h 1"}, "G": {"@1ms 2"}}, TimedOut},
	} {
		r, _ := run(t, parse(t, machine(c.states)), `{}`, c.script, nil)
		if took := r.Stop.Sub(r.Start); r.Status != c.want || took != 365*days {
			t.Errorf("%s: %s after %v", c.name, r.Status, took)
		}
	}
	d := parse(t, strings.Replace(machine(task), "{", `{"TimeoutSeconds":30,`, 1))
	for last, want := range map[string]Status{"@10s 2": Succeeded, "@10001ms 2": TimedOut} {
		if r, _ := run(t, d, `{}`, script{"F": {"@20s 1"}, "G": {last}}, nil); r.Status != want || r.Stop.Sub(r.Start) != 30*time.Second {
			t.Errorf("%s: %+v", last, r)
		}
	}
}

// A wildcard catches States.DataLimitExceeded as AWS was recorded doing, or does
// not, as AWS documents it.
func TestDataLimit(t *testing.T) {
	catch := `"Catch":[{"ErrorEquals":["%s"],"ResultPath":null,"Next":"Z"}],`
	task := `"A":{"Type":"Task","Resource":"fn:F",%s%s"End":true},"Z":{"Type":"Pass","End":true}`
	text := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	double := `"Parameters":{"a.$":"$","b.$":"$"},`
	for _, c := range []struct {
		name, states, input, answer string
		want                        string // the error, "" for none, "caught", or "wildcard": caught unless UncaughtDataLimit is set
		failed                      EventType
	}{
		{"an answer of the limit", fmt.Sprintf(task, "", fmt.Sprintf(catch, "States.ALL")), `{}`, text(MaxData), "", ""},
		{"a larger answer, and the wildcard", fmt.Sprintf(task, "", fmt.Sprintf(catch, "States.ALL")), `{}`, text(MaxData + 1), "wildcard", LambdaFunctionFailed},
		{"a larger answer, and the other wildcard", fmt.Sprintf(task, "", fmt.Sprintf(catch, "States.TaskFailed")), `{}`, text(MaxData + 1), "wildcard", LambdaFunctionFailed},
		{"a larger answer, by name", fmt.Sprintf(task, "", fmt.Sprintf(catch, "States.DataLimitExceeded")), `{}`, text(MaxData + 1), "caught", LambdaFunctionFailed},
		{"the largest input", fmt.Sprintf(task, "", fmt.Sprintf(catch, "States.ALL")), text(MaxData), "1", "", ""},
		{"a larger task payload", fmt.Sprintf(task, double, fmt.Sprintf(catch, "States.DataLimitExceeded")), text(MaxData / 2), "1", "caught", ""},
		{"a larger task output", fmt.Sprintf(task, `"ResultPath":"$.r",`, fmt.Sprintf(catch, "States.ALL")), `{"a":` + text(MaxData/2) + `}`, text(MaxData / 2), "wildcard", LambdaFunctionSucceeded},
		{"a larger state output", `"A":{"Type":"Pass",` + double + `"End":true}`, text(MaxData / 2), "", "States.DataLimitExceeded", ""},
		{"as large as can be", `"A":{"Type":"Pass",` + double + `"End":true}`, text((MaxData - len(`{"a":,"b":}`)) / 2), "", "", ""},
		{"a larger output of a catcher", fmt.Sprintf(task, "", `"Catch":[{"ErrorEquals":["X"],"ResultPath":"$.e","Next":"Z"}],`), `{"a":` + text(MaxData-20) + `}`, "!X: why", "States.DataLimitExceeded", LambdaFunctionFailed},
	} {
		for _, uncaught := range []bool{false, true} {
			want := c.want
			if want == "wildcard" {
				want = map[bool]string{false: "caught", true: "States.DataLimitExceeded"}[uncaught]
			}
			r, h := run(t, parse(t, machine(c.states)), c.input, script{"F": {c.answer}}, func(o *Options) { o.UncaughtDataLimit = uncaught })
			got := r.Error
			if path := h.Path(); path[len(path)-1] == "Z" {
				got = "caught"
			}
			if got != want {
				t.Errorf("%s, uncaught: %v: %s (%s), want %q", c.name, uncaught, got, r.Status, want)
			}
			if r.Error == "States.DataLimitExceeded" && !strings.HasPrefix(r.Cause, "The state/task '") {
				t.Errorf("%s: the cause is %q", c.name, r.Cause)
			}
			checkSizes(t, c.name, h, c.failed)
		}
	}
}

// checkSizes checks that no event has more than MaxData, and that there is one of
// the type, unless it is "".
func checkSizes(t *testing.T, name string, h History, wanted EventType) {
	t.Helper()
	found := wanted == ""
	for _, event := range h {
		found = found || event.Type == wanted
		if len(event.Output) > MaxData || len(event.Input) > MaxData {
			t.Errorf("%s: event %s has too much data", name, event.Type)
		}
	}
	if !found {
		t.Errorf("%s: no %s in %v", name, wanted, h.Types())
	}
}

func TestJitter(t *testing.T) {
	delays := func(seed uint64, strategy string) []time.Duration {
		d := parse(t, machine(`"A":{"Type":"Task","Resource":"fn:F","Retry":[{"ErrorEquals":["X"],"IntervalSeconds":2,"MaxAttempts":40,"MaxDelaySeconds":60`+strategy+`}],"End":true}`))
		_, h := run(t, d, `{}`, script{"F": {"!X"}}, func(o *Options) { o.Seed = seed })
		var list []time.Duration
		var failed time.Time
		for _, event := range h {
			if event.Type == LambdaFunctionScheduled && !failed.IsZero() {
				list = append(list, event.Timestamp.Sub(failed))
			}
			if event.Type == LambdaFunctionFailed {
				failed = event.Timestamp
			}
		}
		return list
	}
	full, again, other := delays(7, `,"JitterStrategy":"FULL"`), delays(7, `,"JitterStrategy":"FULL"`), delays(8, `,"JitterStrategy":"FULL"`)
	none, byDefault := delays(7, `,"JitterStrategy":"NONE"`), delays(7, "")
	if len(full) != 40 {
		t.Fatalf("%d retries", len(full))
	}
	same, differ, sum := true, false, time.Duration(0)
	for i := range full {
		bound := min(2*time.Second<<min(i, 20), time.Minute)
		if none[i] != bound || byDefault[i] != bound {
			t.Errorf("retry %d without jitter after %v and %v, want %v", i+1, none[i], byDefault[i], bound)
		}
		if full[i] < 0 || full[i] > bound || other[i] > bound {
			t.Errorf("retry %d with jitter after %v and %v, over %v", i+1, full[i], other[i], bound)
		}
		same = same && full[i] == again[i]
		differ = differ || full[i] != other[i]
		sum += full[i]
	}
	if !same || !differ {
		t.Errorf("same seed, same delays: %v; other seed, other delays: %v", same, differ)
	}
	if mean := sum / 40; mean < 20*time.Second || mean > 36*time.Second {
		t.Errorf("the mean delay is %v: not spread over the whole range", mean)
	}
}
