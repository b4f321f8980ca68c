package health

import (
	"encoding/json"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/jsonappend"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// encode returns what encoding/json writes of the evidence, in one pass. room is about how
// long that is.
func (e *Evidence) encode(room int) ([]byte, error) {
	to := jsonappend.New(room)
	e.append(&to)
	if text, ok := to.Bytes(); ok {
		return text, nil
	}
	return json.Marshal(e) // an error, with its reason
}

func (e *Evidence) append(to *jsonappend.Text) {
	to.Open()
	if e.History != nil {
		to.Name("before")
		e.History.append(to)
	}
	appendTime(to, "until", e.Until)
	if e.Clusters != nil {
		to.Name("clusters")
		e.Clusters.Append(to)
	}
	to.Name("errors")
	e.Errors.append(to)
	to.Name("slow")
	jsonappend.List(to, e.Slow[:], (*Comparison).append)
	if e.Bounds != [rollout.MaxLatencyBounds]BoundTest{} {
		to.Name("bounds")
		jsonappend.List(to, e.Bounds[:], (*BoundTest).append)
	}
	jsonappend.Some(to, "slowdowns", &e.Slowdowns, (*Slowdowns).append)
	to.Name("proof")
	e.Proof.Append(to)
	to.Name("spread")
	e.Spread.Append(to)
	jsonappend.Some(to, "expected", &e.Expected, (*sequential.Expectation).Append)
	to.Name("step")
	to.Int(int64(e.Step))
	to.Name("step-requests")
	to.Int(e.StepRequests)
	e.appendMinutes(to)
	to.Name("lately")
	e.Snapshot.append(to)
	to.Close()
}

// appendMinutes writes the minutes that are not folded yet, and what they have to do with.
func (e *Evidence) appendMinutes(to *jsonappend.Text) {
	if len(e.WarmUp) > 0 {
		to.Name("cold")
		jsonappend.List(to, e.WarmUp, func(at *time.Time, to *jsonappend.Text) { to.Time(*at) })
	}
	if len(e.Shifts) > 0 {
		to.Name("shifts")
		jsonappend.List(to, e.Shifts, (*WeightChange).append)
	}
	to.Name("minutes")
	if e.Minutes == nil {
		to.Null()
		return
	}
	jsonappend.List(to, e.Minutes, (*Minute).append)
}

func (b *BaselineHistory) append(to *jsonappend.Text) {
	to.Open()
	to.Name("count")
	b.Count.Append(to)
	to.Name("timed")
	to.Int(b.Timed)
	to.Name("over")
	to.Floats(b.Over[:])
	to.Close()
}

func (c *ErrorComparison) append(to *jsonappend.Text) {
	to.Open()
	jsonappend.Some(to, "robust", &c.Harm, (*sequential.RobustState).Append)
	jsonappend.Some(to, "control", &c.Control, (*sequential.ControlState).Append)
	c.Tally.appendMembers(to)
	to.Close()
}

func (c *Comparison) append(to *jsonappend.Text) {
	to.Open()
	jsonappend.Some(to, "harm", &c.Harm, (*sequential.State).Append)
	jsonappend.Some(to, "bake", &c.HistoricalControl, (*sequential.State).Append)
	jsonappend.Some(to, "cold", &c.Cold, (*sequential.State).Append)
	jsonappend.Some(to, "with-shifts", &c.All, (*sequential.State).Append)
	c.Tally.appendMembers(to)
	to.Close()
}

func (t *Tally) appendMembers(to *jsonappend.Text) {
	to.Name("baseline")
	t.Baseline.Append(to)
	to.Name("new-version")
	t.NewVersion.Append(to)
	jsonappend.Some(to, "alone", &t.Alone, (*sequential.Count).Append)
}

func (b *BoundTest) append(to *jsonappend.Text) {
	to.Open()
	jsonappend.Some(to, "harm", &b.Harm, (*sequential.State).Append)
	jsonappend.Some(to, "cold", &b.Cold, (*sequential.State).Append)
	jsonappend.Some(to, "all", &b.All, (*sequential.State).Append)
	jsonappend.Some(to, "count", &b.Count, (*sequential.Count).Append)
	to.Close()
}

func (s *Slowdowns) append(to *jsonappend.Text) {
	to.Open()
	appendCount(to, "beside", s.Beside)
	appendCount(to, "alone", s.Alone)
	appendCount(to, "bounds", s.Bounds)
	appendTime(to, "shift", s.Shift)
	appendCount(to, "warm", s.Warm)
	appendCount(to, "cleared", s.Cleared)
	to.Close()
}

func (c *WeightChange) append(to *jsonappend.Text) {
	to.Open()
	to.Name("at")
	to.Time(c.At)
	if c.Before != 0 {
		to.Name("before")
		to.Float(c.Before)
	}
	to.Name("weight")
	to.Float(c.Weight)
	to.Close()
}

func (s *AliasSnapshot) append(to *jsonappend.Text) {
	to.Open()
	to.Name("requests")
	to.Int(s.Requests)
	to.Name("throttles")
	to.Int(s.Throttles)
	to.Name("slowest")
	to.Float(s.Slowest)
	to.Close()
}

func (m *Minute) append(to *jsonappend.Text) {
	to.Open()
	to.Name("at")
	to.Time(m.At)
	to.Name("baseline")
	m.Baseline.append(to)
	to.Name("new-version")
	m.NewVersion.append(to)
	if m.Shifted {
		to.Name("shifted")
		to.Bool(true)
	}
	if m.Untimed {
		to.Name("untimed")
		to.Bool(true)
	}
	if m.Weight != 0 {
		to.Name("weight")
		to.Float(m.Weight)
	}
	if m.Mixed {
		to.Name("mixed")
		to.Bool(true)
	}
	if len(m.Above) > 0 {
		to.Name("above")
		to.Ints(m.Above)
	}
	to.Close()
}

func (s *Sample) append(to *jsonappend.Text) {
	numbers := s.numbers()
	to.Ints(numbers[:])
}

// appendTime writes a member that is left out if it is zero.
func appendTime(to *jsonappend.Text, name string, at time.Time) {
	if !at.IsZero() {
		to.Name(name)
		to.Time(at)
	}
}

// appendCount writes a member that is left out if it is zero.
func appendCount(to *jsonappend.Text, name string, n int64) {
	if n != 0 {
		to.Name(name)
		to.Int(n)
	}
}
