package rehearsal

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// someCall draws the number of a call: of the rollout as it goes undisturbed, or
// one of the first that come beside.
func someCall(t *rapid.T, plain *observed) int { return 1 + uniform(t, len(plain.calls)+4) }

func drawFault(t *rapid.T, plain *observed) disturbance {
	return drawOneFault(t, plain, localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore, localaws.Slow)
}

func drawLoss(t *rapid.T, plain *observed) disturbance {
	return drawOneFault(t, plain, localaws.CutAfter)
}

func drawProxy(t *rapid.T, plain *observed) disturbance {
	return drawOneFault(t, plain, localaws.ProxyForbidden, localaws.ProxyUnavailable, localaws.BareThrottle)
}

// drawOneFault has one call fail, whichever it is by then.
func drawOneFault(t *rapid.T, plain *observed, failures ...localaws.FaultKind) disturbance {
	fault := localaws.Fault{Operation: localaws.Every, Kind: oneOf(t, failures), Count: 1}
	call := someCall(t, plain)
	name := fmt.Sprintf("call %d %s", call, fault.Kind)
	if fault.Kind == localaws.Slow {
		took := oneOf(t, []time.Duration{3 * time.Second, 5 * time.Minute})
		if plain.options.Simple { // it has no task whose time is up
			took = min(took, 5*time.Second)
		}
		if name += fmt.Sprintf(" by %s", took); uniform(t, 2) == 0 {
			fault.Before = took
		} else {
			name, fault.After = name+" with its answer", took
		}
	}
	d := disturbance{name: name, install: func(o *observed) {
		o.atCall(call-1, func() { o.inject(fault) })
		if call == 1 {
			o.inject(fault)
		}
	}}
	if len(plain.options.Scenario.Functions) > 0 { // a hook is called once: it may not bear more
		return d
	}
	return d.harmlessly()
}

func drawOutage(t *rapid.T, plain *observed) disturbance {
	return drawAway(t, plain, 30*time.Second, 5*time.Minute)
}

func drawLongOutage(t *rapid.T, plain *observed) disturbance {
	return drawAway(t, plain, 40*time.Minute, time.Hour)
}

func drawAway(t *rapid.T, plain *observed, times ...time.Duration) disturbance {
	operation := oneOf(t, []string{localaws.Every, "GetAlias", "UpdateAlias", "GetExecutionHistory", "DescribeExecution"})
	failure := oneOf(t, []localaws.FaultKind{localaws.Throttled, localaws.ServerError, localaws.Unavailable, localaws.CutBefore, localaws.CutAfter, localaws.ProxyUnavailable})
	call, lasting := someCall(t, plain), oneOf(t, times)
	return disturbance{name: fmt.Sprintf("from call %d on %s is %s for %s", call, operation, failure, lasting), install: func(o *observed) { o.lasting(call, operation, failure, lasting) }}
}

// lasting has all calls of an operation fail for a while.
func (o *observed) lasting(call int, operation string, failure localaws.FaultKind, lasting time.Duration) {
	o.atCall(call, func() {
		o.inject(localaws.Fault{Operation: operation, Kind: failure, Until: o.clock.Now().Add(lasting)})
	})
}

func drawDeaf(t *rapid.T, plain *observed) disturbance {
	operation := oneOf(t, []string{"Publish", "PutEvents"})
	call := someCall(t, plain)
	lasting := oneOf(t, []time.Duration{time.Minute, time.Hour})
	return disturbance{name: fmt.Sprintf("from call %d on %s fails for %s", call, operation, lasting), install: func(o *observed) { o.lasting(call, operation, localaws.ServerError, lasting) }}
}

func drawBlind(t *rapid.T, plain *observed) disturbance {
	call := someCall(t, plain)
	return disturbance{name: fmt.Sprintf("from call %d on no metrics are to be had", call), install: func(o *observed) { o.lasting(call, "GetMetricData", localaws.ServerError, time.Hour) }}
}

func drawLag(t *rapid.T, _ *observed) disturbance {
	lag := oneOf(t, []time.Duration{500 * time.Millisecond, 3 * time.Second, 20 * time.Second})
	return disturbance{name: fmt.Sprintf("reads lag %s", lag), install: func(o *observed) { o.changed.lag = lag }}
}
