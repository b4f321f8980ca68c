package asl

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// integer returns n as a JSON number.
func integer(n int64) number { return number(strconv.FormatInt(n, 10)) }

// document returns the document of a value. It reuses the text of a known
// document that is equal, which is often the case.
func (e *Execution) document(value any, known ...document) document {
	if i := indexOf(value, known); i >= 0 {
		return known[i]
	}
	if o, ok := value.(*object); ok {
		e.scratch = appendObject(e.scratch[:0], o, known)
	} else {
		e.scratch = appendJSON(e.scratch[:0], value)
	}
	for _, d := range known {
		if bytes.Equal(d.text, e.scratch) {
			return document{value: value, text: d.text}
		}
	}
	return document{value: value, text: bytes.Clone(e.scratch)}
}

// limited returns the document of what a state passes on, or
// States.DataLimitExceeded if it is larger than MaxData.
func (e *Execution) limited(s *state, value any, known ...document) (document, error) {
	d := e.document(value, known...)
	if len(d.text) > MaxData {
		return d, overLimit(s.name)
	}
	return d, nil
}

// overLimit returns the failure of a state, or of what a task calls, whose result
// is larger than MaxData. On AWS its cause names neither the state in which it
// happened nor an event; of a service, it names the service, as "lambda" (recorded
// 2024-03-21, by LocalStack's tests).
func overLimit(name string) error {
	return &failure{name: errorDataLimit, cause: fmt.Sprintf(
		"The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", name)}
}

// passOn returns the output of a state whose output is its effective input.
func (e *Execution) passOn(s *state, raw document, input any) (document, error) {
	v, err := s.flow.outputPath.apply(scope{e, input})
	if err != nil {
		return raw, err
	}
	return e.limited(s, v, raw)
}

// pass is a Pass state.
type pass struct {
	hasResult bool
	result    any
}

func (w pass) targets() []*state { return nil }

func (w pass) run(e *Execution, s *state, raw document) (document, *state, error) {
	v, err := s.flow.effectiveInput(e, raw.value)
	if err != nil {
		return raw, nil, err
	}
	if w.hasResult {
		v = w.result
	}
	if v, err = s.flow.output(e, raw.value, v); err != nil {
		return raw, nil, err
	}
	out, err := e.limited(s, v, raw)
	return out, s.next, err
}

// succeed is a Succeed state.
type succeed struct{}

func (succeed) targets() []*state { return nil }

func (succeed) run(e *Execution, s *state, raw document) (document, *state, error) {
	v, err := s.flow.effectiveInput(e, raw.value)
	if err != nil {
		return raw, nil, err
	}
	out, err := e.passOn(s, raw, v)
	return out, nil, err
}

// failWith is a Fail state. An expression is nil if the state has no such field.
type failWith struct {
	errorName, cause expr
}

func (failWith) targets() []*state { return nil }

func (w failWith) run(e *Execution, _ *state, raw document) (document, *state, error) {
	var texts [2]string
	for i, x := range []expr{w.errorName, w.cause} {
		if x == nil {
			continue
		}
		field := []string{"ErrorPath", "CausePath"}[i]
		v, err := x.eval(scope{e, raw.value}, field)
		if err != nil {
			return raw, nil, err
		}
		text, ok := v.(string)
		if !ok {
			return raw, nil, failf(errorRuntime, "The %s field does not give a string but: %s", field, appendJSON(nil, v))
		}
		texts[i] = text
	}
	return raw, nil, &failure{name: texts[0], cause: texts[1]}
}

// rule is a Choice rule.
type rule struct {
	when condition
	next *state
}

// choice is a Choice state.
type choice struct {
	rules     []rule
	otherwise *state // Default; may be nil
}

func (w *choice) targets() []*state {
	list := []*state{w.otherwise}
	for _, r := range w.rules {
		list = append(list, r.next)
	}
	return list
}

func (w *choice) run(e *Execution, s *state, raw document) (document, *state, error) {
	v, err := s.flow.effectiveInput(e, raw.value)
	if err != nil {
		return raw, nil, err
	}
	next := w.otherwise
	for _, r := range w.rules {
		ok, err := r.when.holds(scope{e, v})
		if err != nil {
			return raw, nil, err
		}
		if ok {
			next = r.next
			break
		}
	}
	if next == nil {
		return raw, nil, failf(errorNoChoice, "Failed to transition out of the state. The state does not point to a next state.")
	}
	out, err := e.passOn(s, raw, v)
	return out, next, err
}

// maxDelay is the longest delay, in seconds, of a Wait state until an instant. On
// AWS, a wait of 71 years failed at once (recorded 2023-12-13, by LocalStack's
// tests); that the limit is that of a 32-bit integer is an inference.
const maxDelay = math.MaxInt32

// wait is a Wait state: it waits for a number of seconds, or for what a path leads
// to (seconds or a timestamp), or until an instant. An instant in the past means no
// wait.
type wait struct {
	seconds     int64 // -1: not given
	secondsPath bool  // path leads to seconds
	path        refPath
	until       time.Time
}

func (wait) targets() []*state { return nil }

func (w wait) run(e *Execution, s *state, raw document) (document, *state, error) {
	v, err := s.flow.effectiveInput(e, raw.value)
	if err != nil {
		return raw, nil, err
	}
	until, err := w.instant(e, v)
	if err != nil {
		return raw, nil, err
	}
	if until.Unix()-e.clock.Now().Unix() > maxDelay {
		return raw, nil, failf(errorRuntime, "Wait state delay is too long.")
	}
	if _, err := e.wait(until); err != nil {
		return raw, nil, err
	}
	out, err := e.passOn(s, raw, v)
	return out, s.next, err
}

// instant returns the instant at which the wait ends.
func (w wait) instant(e *Execution, input any) (time.Time, error) {
	now := e.clock.Now()
	switch {
	case w.seconds >= 0:
		return now.Add(time.Duration(w.seconds) * time.Second), nil
	case w.path.text == "":
		return w.until, nil
	case w.secondsPath:
		v, err := w.path.eval(scope{e, input}, "SecondsPath")
		if err != nil {
			return now, err
		}
		seconds, err := w.pathSeconds(v)
		return now.Add(time.Duration(seconds) * time.Second), err
	}
	v, err := w.path.eval(scope{e, input}, "TimestampPath")
	if err != nil {
		return now, err
	}
	until, ok := timestamp(v)
	if !ok {
		return now, failf(errorRuntime, "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", w.path.text, bare(v))
	}
	return until, nil
}

// pathSeconds returns the seconds to which SecondsPath leads. The causes of its
// failures, except for the last, were recorded on AWS 2024-03-22, by LocalStack's tests.
func (w wait) pathSeconds(v any) (int64, error) {
	n, _ := v.(number)
	seconds, err := strconv.ParseInt(string(n), 10, 64)
	problem := ""
	switch {
	case err != nil:
		problem = "cannot be parsed as a long value"
	case seconds < 0:
		problem = "references a negative value"
	case seconds > maxSeconds:
		problem = fmt.Sprintf("references a value greater than %d", maxSeconds)
	default:
		return seconds, nil
	}
	return 0, failf(errorRuntime, "The SecondsPath parameter %s: %s == %s", problem, w.path.text, bare(v))
}

// bare returns a string as it is, and any other value as JSON.
func bare(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return string(appendJSON(nil, v))
}
