package health

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// thresholds is the number of durations above which requests are slow: the
// baseline's 95th percentile and its 99th.
const thresholds = 2

// Sample counts what one version served in one minute, as far as it is known: errors
// may be known before their requests, so that it is no sequential.Count yet. As
// JSON it is a list of its four numbers in this order.
type Sample struct {
	Requests, Errors int64
	// Slow counts the requests above each threshold of the BaselineHistory.
	Slow [thresholds]int64
}

// count returns the count of failed requests, with at least as many requests as
// errors.
func (s Sample) count() sequential.Count {
	return sequential.Count{Requests: max(s.Requests, s.Errors), Errors: s.Errors}
}

// slow returns the count of requests above a threshold.
func (s Sample) slow(threshold int) sequential.Count {
	return sequential.Count{Requests: s.Requests, Errors: min(s.Slow[threshold], s.Requests)}
}

// merge returns the larger of each number of two samples of a minute: they only
// grow.
func (s Sample) merge(other Sample) Sample {
	s.Requests = max(s.Requests, other.Requests)
	s.Errors = max(s.Errors, other.Errors)
	for i := range s.Slow {
		s.Slow[i] = max(s.Slow[i], other.Slow[i])
	}
	return s
}

// numbers returns the list of the sample's numbers.
func (s Sample) numbers() [2 + thresholds]int64 {
	return [...]int64{s.Requests, s.Errors, s.Slow[0], s.Slow[1]}
}

// MarshalJSON writes the list of numbers.
func (s Sample) MarshalJSON() ([]byte, error) { return json.Marshal(s.numbers()) }

// UnmarshalJSON reads what MarshalJSON wrote. It refuses a list of another length,
// and numbers outside 0 to sequential.MaxCount.
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

// Minute counts what both versions served behind the alias in the minute that
// begins at At.
type Minute struct {
	At         time.Time `json:"at"`
	Baseline   Sample    `json:"baseline"`
	NewVersion Sample    `json:"new-version"`
	// Shifted means that environments of the new version may have been starting after a
	// shift, and Untimed that CloudWatch did not say how many requests were slow.
	Shifted bool `json:"shifted,omitempty"`
	Untimed bool `json:"untimed,omitempty"`
	// Weight is the new version's highest share of the traffic in the minute.
	Weight float64 `json:"weight,omitempty"`
	// Mixed means that it had others in the minute, too.
	Mixed bool `json:"mixed,omitempty"`
	// Above counts the new version's requests above each absolute bound of the latency
	// gate; nil if there are none, or CloudWatch did not say.
	Above []int64 `json:"above,omitempty"`
}

func (m *Minute) end() time.Time { return m.At.Add(time.Minute) }

// Equal reports whether two minutes are the same in everything.
func (m *Minute) Equal(other *Minute) bool {
	return m.At.Equal(other.At) && m.Baseline == other.Baseline && m.NewVersion == other.NewVersion &&
		m.Shifted == other.Shifted && m.Untimed == other.Untimed &&
		m.Weight == other.Weight && m.Mixed == other.Mixed && slices.Equal(m.Above, other.Above)
}

// merge returns the minute with what a later reading of it knows.
func (m Minute) merge(later Minute) Minute {
	m.Baseline = m.Baseline.merge(later.Baseline)
	m.NewVersion = m.NewVersion.merge(later.NewVersion)
	m.Untimed = m.Untimed && later.Untimed
	if len(later.Above) == len(m.Above) {
		above := slices.Clone(m.Above)
		for i, n := range later.Above {
			above[i] = max(above[i], n)
		}
		m.Above = above
	} else if len(later.Above) > 0 {
		m.Above = later.Above
	}
	return m
}

// BaselineHistory is the baseline's record of the hour before the rollout. It stays
// as it is for the whole rollout, so that the thresholds of slow requests don't move
// with what happens to the baseline meanwhile.
type BaselineHistory struct {
	// Count has the hour's requests and errors.
	Count sequential.Count `json:"count"`
	// Timed is the number of requests that the percentiles are of. Over has the
	// thresholds: the 95th and the 99th percentile of their durations, in milliseconds.
	Timed int64               `json:"timed"`
	Over  [thresholds]float64 `json:"over"`
}

// shares returns the shares of the baseline's requests above the thresholds: by
// definition of a percentile.
func shares() [thresholds]float64 { return [...]float64{0.05, 0.01} }

// minTimed is the least number of requests of which percentiles are used: two of
// them are above the 99th.
const minTimed = 200

// timed reports whether the record has thresholds.
func (b *BaselineHistory) timed() bool { return b != nil && b.Timed >= minTimed && b.Over[0] > 0 }

// errors returns the count of failed requests before the rollout; zero if the
// record is not known.
func (b *BaselineHistory) errors() sequential.Count {
	if b == nil {
		return sequential.Count{}
	}
	return b.Count
}

// slow returns the count of requests above a threshold before the rollout; zero if
// there are no thresholds.
func (b *BaselineHistory) slow(threshold int) sequential.Count {
	if !b.timed() {
		return sequential.Count{}
	}
	return sequential.Count{Requests: b.Timed, Errors: int64(float64(b.Timed)*shares()[threshold]) + 1}
}

// few reports whether the minute is judged by its weight, as it has few requests.
func (m *Minute) few() bool {
	return !m.Mixed && sequential.Few(m.Baseline.count().Requests+m.NewVersion.count().Requests, m.Weight)
}
