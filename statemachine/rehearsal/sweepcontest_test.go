package rehearsal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// contestTrials start a second rollout of the same alias at every call of the
// first, which then stands still until the second has made some calls.
func contestTrials(t testing.TB) []namedTrial {
	return everySubject(t, func(plain *observed, with func(string, bool, func(*observed))) {
		for _, call := range meetings(plain) {
			for calls := range 8 {
				version := []string{"6", "8"}[(call+calls)%2]
				with(fmt.Sprintf("a rollout to version %s starts at call %d and makes %d calls", version, call, calls), false, func(o *observed) {
					o.contest(call, calls, version)
				})
			}
		}
	})
}

func (o *observed) contest(call, calls int, version string) {
	input := strings.Replace(string(o.options.Input), `"new-version": "8"`, `"new-version": "`+version+`"`, 1)
	o.secondVersion = version
	enough := o.clock.NewSignal()
	o.onSecond = func(number int) {
		if number == calls {
			enough.Fire()
		}
	}
	o.onCall = func(number int, _ string) {
		if number != call {
			return
		}
		if _, err := o.machine.start(second, json.RawMessage(input)); err != nil {
			panic(err)
		}
		if calls > 0 {
			o.handling = false
			o.clock.Wait(o.clock.Now().Add(50*time.Second), enough)
			o.handling, o.caller = true, first
		}
	}
}

// meetings are the numbers of the calls at which another user can meet the
// rollout: not those that notify, or ask for orders, as nothing of the alias
// lies between them and the next.
func meetings(plain *observed) []int {
	var calls []int
	for i, operation := range plain.calls {
		switch operation {
		case "Publish", "PutEvents", "GetParameterHistory":
		default:
			calls = append(calls, i+1)
		}
	}
	return calls
}
