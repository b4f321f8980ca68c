package health

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// thresholds is how many durations tell slow requests from others: the
// baseline's 95th percentile and its 99th.
const thresholds = 2

// Sample is what one version served in one minute, as far as it is known. As
// JSON it is the list of its numbers in this order.
type Sample struct {
	Requests, Errors int64
	// Slow are the requests above the thresholds of Before.
	Slow [thresholds]int64
}

// count is the sample as the errors gate counts it. Of a minute that is not
// over an error may be known before its request.
func (s Sample) count() sequential.Count {
	return sequential.Count{Requests: max(s.Requests, s.Errors), Errors: s.Errors}
}

// slow is the sample as the latency gate counts it.
func (s Sample) slow(threshold int) sequential.Count {
	return sequential.Count{Requests: s.Requests, Errors: min(s.Slow[threshold], s.Requests)}
}

// merge keeps the larger of what two readings of a minute know: its numbers
// only grow.
func (s Sample) merge(other Sample) Sample {
	s.Requests = max(s.Requests, other.Requests)
	s.Errors = max(s.Errors, other.Errors)
	for i := range s.Slow {
		s.Slow[i] = max(s.Slow[i], other.Slow[i])
	}
	return s
}

// appendJSON appends the numbers.
func (s Sample) appendJSON(text []byte) []byte {
	for i, n := range [...]int64{s.Requests, s.Errors, s.Slow[0], s.Slow[1]} {
		text = append(text, "[,"[min(i, 1)])
		text = strconv.AppendInt(text, n, 10)
	}
	return append(text, ']')
}

// MarshalJSON writes the numbers.
func (s Sample) MarshalJSON() ([]byte, error) { return s.appendJSON(nil), nil }

// UnmarshalJSON reads what MarshalJSON wrote, and refuses another length and
// numbers that are negative.
func (s *Sample) UnmarshalJSON(data []byte) error {
	var numbers [2 + thresholds]int64
	rest, more := bytes.TrimSuffix(bytes.TrimPrefix(data, []byte("[")), []byte("]")), true
	for i := range numbers {
		if !more {
			return fmt.Errorf("sample: %s: must be %d numbers", data, len(numbers))
		}
		var text []byte
		text, rest, more = bytes.Cut(rest, []byte(","))
		n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		if err != nil || n < 0 || n > sequential.MaxCount {
			return fmt.Errorf("sample: %q: must be a whole number from 0 to %d", text, int64(sequential.MaxCount))
		}
		numbers[i] = n
	}
	if more {
		return fmt.Errorf("sample: %s: must be %d numbers", data, len(numbers))
	}
	*s = Sample{Requests: numbers[0], Errors: numbers[1], Slow: [thresholds]int64(numbers[2:])}
	return nil
}

// Minute is what both versions served behind the alias in the minute that
// begins at At.
type Minute struct {
	At         time.Time `json:"at"`
	Baseline   Sample    `json:"baseline"`
	NewVersion Sample    `json:"new-version"`
	// Shifted means that the new version may have been starting up, after a shift:
	// durations don't count. Untimed means that CloudWatch did not say how many
	// requests were slow.
	Shifted bool `json:"shifted,omitempty"`
	Untimed bool `json:"untimed,omitempty"`
}

// MarshalJSON writes what its fields say. There are up to twenty minutes in each
// check's state: that is why neither they nor their samples ask encoding/json.
func (m Minute) MarshalJSON() ([]byte, error) {
	text, err := m.At.AppendText(append(make([]byte, 0, 160), `{"at":"`...))
	text = m.Baseline.appendJSON(append(text, `","baseline":`...))
	text = m.NewVersion.appendJSON(append(text, `,"new-version":`...))
	if m.Shifted {
		text = append(text, `,"shifted":true`...)
	}
	if m.Untimed {
		text = append(text, `,"untimed":true`...)
	}
	return append(text, '}'), err
}

// excludesDurations tells whether its durations don't count.
func (m Minute) excludesDurations() bool { return m.Shifted || m.Untimed }

func (m Minute) end() time.Time { return m.At.Add(time.Minute) }

// merge joins two readings of a minute.
func (m Minute) merge(later Minute) Minute {
	m.Baseline = m.Baseline.merge(later.Baseline)
	m.NewVersion = m.NewVersion.merge(later.NewVersion)
	m.Untimed = m.Untimed && later.Untimed
	return m
}

// BaselineHistory is the baseline's record of the hour before the rollout. What it says
// of durations stays as it is for the whole rollout: whatever happens to the
// baseline meanwhile, the measure does not move.
type BaselineHistory struct {
	// Count is its requests and their errors.
	Count sequential.Count `json:"count"`
	// Timed is how many requests the percentiles are of, and Over the 95th and the
	// 99th, in milliseconds.
	Timed int64               `json:"timed"`
	Over  [thresholds]float64 `json:"over"`
}

// shares are the shares of the baseline's requests above the thresholds, by
// what a percentile is.
func shares() [thresholds]float64 { return [...]float64{0.05, 0.01} }

// minTimed is how many requests there must have been for their percentiles to
// mean something: two of them are above the 99th then.
const minTimed = 200

// timed tells whether the record has thresholds.
func (b *BaselineHistory) timed() bool { return b != nil && b.Timed >= minTimed && b.Over[0] > 0 }

// errors and slow are the parts of the baseline's records that lie before the
// rollout; nothing if they are not known.
func (b *BaselineHistory) errors() sequential.Count {
	if b == nil {
		return sequential.Count{}
	}
	return b.Count
}

func (b *BaselineHistory) slow(threshold int) sequential.Count {
	if !b.timed() {
		return sequential.Count{}
	}
	return sequential.Count{Requests: b.Timed, Errors: int64(float64(b.Timed)*shares()[threshold]) + 1}
}
