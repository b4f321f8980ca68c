package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// watching is the inner loop of a rollout: Wait, HealthCheck, Decide.
func watching(t testing.TB) *Definition {
	return parse(t, machine(`"Wait":{"Type":"Wait","SecondsPath":"$.progress.wait","Next":"HealthCheck"},
		"HealthCheck":{"Type":"Task","Resource":"fn:HealthCheck","Parameters":{"execution.$":"$$.Execution.Id","now.$":"$$.State.EnteredTime","rollout.$":"$"},
			"TimeoutSeconds":60,"Retry":[{"ErrorEquals":["States.ALL"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Done"}],"Next":"Decide"},
		"Decide":{"Type":"Choice","Choices":[{"Variable":"$.health.decision","StringEquals":"watch","Next":"Wait"}],"Default":"Done"},"Done":{"Type":"Succeed"}`))
}

// watchState is a rollout's state: 1.5 kilobytes for 40 steps.
func watchState(steps int, decision string) json.RawMessage {
	var plan []string
	for i := range steps {
		plan = append(plan, fmt.Sprintf(`{"weight":%.4f,"seconds":120}`, float64(i+1)/float64(steps)))
	}
	return json.RawMessage(`{"function-name":"MyFunction","alias-name":"MyAlias","new-version":"2","plan":{"steps":[` + strings.Join(plan, ",") +
		`]},"progress":{"wait":60,"step":3},"health":{"decision":"` + decision + `","reason":"no error in 1,234 invocations of the new version"}}`)
}

// BenchmarkStates reports the states per second of long executions, and how
// long a year of checks every minute would take.
func BenchmarkStates(b *testing.B) {
	for _, steps := range []int{40, 1250} {
		watch, done := watchState(steps, "watch"), watchState(steps, "done")
		b.Run(fmt.Sprintf("%dKB", (len(watch)+500)/1000), func(b *testing.B) { benchmarkStates(b, watch, done) })
	}
}

func benchmarkStates(b *testing.B, watch, done json.RawMessage) {
	d := watching(b)
	const rounds = 2700 // below the limit of events
	states := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		c := NewClock(epoch)
		checks := 0
		e, err := d.Start(Options{Clock: c, Input: watch, OnEvent: func(Event) {},
			Invoke: func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
				c.Sleep(20 * time.Millisecond)
				if checks++; checks == rounds {
					return done, nil
				}
				return watch, nil
			}})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Run(); err != nil || e.Status() != Succeeded {
			b.Fatal(err, e.Result())
		}
		states += e.Result().Transitions
	}
	b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
	b.ReportMetric(3*365*24*60/float64(states)*b.Elapsed().Seconds(), "s/year")
}

// BenchmarkSwitches measures two actors that take turns.
func BenchmarkSwitches(b *testing.B) {
	c := NewClock(epoch)
	for range 2 {
		c.Go(func() {
			for range b.N {
				c.Sleep(time.Second)
			}
		})
	}
	if err := c.Run(); err != nil {
		b.Fatal(err)
	}
}
