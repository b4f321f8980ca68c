package health

import (
	"math"
	"time"
)

// pending says how many of the new version's requests have begun and not ended.
type pending struct {
	// perMinute is how many are missing in a minute, and share of how many.
	perMinute, share float64
	// log is a bound of the natural logarithm of the chance that so many are missing
	// although the new version ends its requests as the baseline does; 0 if their share is
	// below pendingShare.
	log float64
}

// The limits of requests that have not ended.
const (
	holdLog      = -9              // below this chance, 1 in 8,000, a step is held
	pendingLog   = -23             // and below this, 1 in 10 billion, the new version is rolled back
	pendingShare = 0.5             // if at least this share of its requests is missing
	pendingFor   = 3 * time.Minute // so long after the baseline's
)

func (p pending) clear(log float64) bool { return p.log <= log && p.share >= pendingShare }

// pending compares how many requests of the new version there are with how many there
// must have been, in the minutes that ended before until. CloudWatch has a request in
// the minute in which it began, but only after it has ended. The alias
// sends each request to the new version with the weight w, so of K requests that have
// ended in a minute, about K·w are the new version's, if its requests end as soon
// as the baseline's. The chance of at most k is at most e^(−K·KL(k/K, w)) (Chernoff), and
// that of several minutes the product. At full weight there is no baseline to
// compare with.
func (a *Assessment) pending(until time.Time) pending {
	var p pending
	expected, seen, minutes := 0.0, 0.0, 0.0
	for i := range a.Minutes {
		if m := &a.Minutes[i]; m.expects(until) {
			expected += float64(m.Baseline.Requests) * m.Weight / (1 - m.Weight)
			seen += float64(m.NewVersion.Requests)
			minutes++
		}
	}
	if missing := expected - seen; missing > 0 {
		p.perMinute, p.share = missing/minutes, missing/expected
	}
	if p.share < pendingShare {
		return p
	}
	for i := range a.Minutes {
		if m := &a.Minutes[i]; m.expects(until) {
			p.log -= m.divergence()
		}
	}
	return p
}

// expects reports whether the weight says how many requests the new version has in the minute,
// which ended before until.
func (m *Minute) expects(until time.Time) bool {
	return !m.end().After(until) && !m.Mixed && m.Weight > 0 && m.Weight < 1
}

// divergence returns K·KL(k/K, w) if the new version had fewer requests than its weight, and 0
// otherwise.
func (m *Minute) divergence() float64 {
	newVersion, w := float64(m.NewVersion.Requests), m.Weight
	all := float64(m.Baseline.Requests) + newVersion
	if newVersion >= all*w || all == 0 {
		return 0
	}
	share := newVersion / all
	divergence := (1 - share) * math.Log((1-share)/(1-w))
	if share > 0 {
		divergence += share * math.Log(share/w)
	}
	return all * divergence
}

// shown returns the end of the last minute of which CloudWatch shows requests of the
// baseline: metrics may be late.
func (a *Assessment) shown() time.Time {
	for i := len(a.Minutes) - 1; i >= 0; i-- {
		if a.Minutes[i].Baseline.Requests > 0 {
			return a.Minutes[i].end()
		}
	}
	return a.Until
}
