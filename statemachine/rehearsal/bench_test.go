package rehearsal_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// What a rehearsal costs:
//
//	go test -run '^$' -bench 'Rollout|Year' ./statemachine/rehearsal

// BenchmarkBlogRollout rehearses the blog post's example, with its timeline.
func BenchmarkBlogRollout(b *testing.B) {
	checks := 0
	b.ReportAllocs()
	for b.Loop() {
		checks = rehearse(b, blogInput, "healthy", nil).Checks
	}
	b.ReportMetric(float64(checks), "checks")
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/rollout")
}

// BenchmarkThousandRollouts is the blog post's example with a thousand seeds, on
// all cores.
func BenchmarkThousandRollouts(b *testing.B) {
	const rollouts = 1000
	for b.Loop() {
		rehearsal.OnAllCores(rollouts, func(i int) {
			rehearse(b, blogInput, "healthy", func(o *rehearsal.Options) { o.Seed = uint64(i) })
		})
	}
	b.ReportMetric(rollouts, "rollouts")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/thousand")
}

// BenchmarkYear is the longest rollout that there is, with a check in each
// minute; in short mode, a month of it. What is kept in memory a quarter of the
// way and just before the end shows whether it grows.
func BenchmarkYear(b *testing.B) {
	input, checks := `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 12, "interval": 2628000}`, 365*24*60
	if testing.Short() {
		input, checks = `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 12, "interval": 216000}`, 30*24*60
	}
	all := time.Duration(checks) * time.Minute
	var early, late uint64
	for b.Loop() {
		r := rehearse(b, input, "healthy", func(o *rehearsal.Options) {
			o.Brief = true
			rehearsal.At(o, all/4, func() { early = liveHeap() })
			rehearsal.At(o, all-time.Minute, func() { late = liveHeap() })
		})
		if r.Outcome != rehearsal.Promoted || r.Checks != checks {
			b.Fatalf("%s after %d checks: %s", r.Outcome, r.Checks, r.Reason)
		}
	}
	b.ReportMetric(float64(checks), "checks")
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*checks), "µs/check")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/rollout")
	b.ReportMetric(float64(early)/(1<<20), "MB-early")
	b.ReportMetric(float64(late)/(1<<20), "MB-late")
}

// liveHeap is how many bytes of memory are in use.
func liveHeap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
