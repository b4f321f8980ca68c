package health_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// hour is a baseline's record of 36,000 requests, of which 36 failed, and
// durations.
var hour = &health.BaselineHistory{Count: sequential.Count{Requests: 36000, Errors: 36}, Timed: 36000, Over: [2]float64{230, 410.5}}

// row is a minute with the requests that were slow, of both versions.
func row(n int, baseline, newVersion [4]int64) health.Minute {
	m := minute(n, baseline[0], baseline[1], newVersion[0], newVersion[1])
	m.Baseline.Slow, m.NewVersion.Slow = [2]int64(baseline[2:]), [2]int64(newVersion[2:])
	m.Untimed = false
	return m
}

// every repeats what both versions serve in a minute.
func every(from, to int, baseline, newVersion [4]int64) []health.Minute {
	var rows []health.Minute
	for n := from; n < to; n++ {
		rows = append(rows, row(n, baseline, newVersion))
	}
	return rows
}

// bounded adds to each minute how many of the new version's requests were above the
// absolute bounds.
func bounded(minutes []health.Minute, above ...int64) []health.Minute {
	for i := range minutes {
		minutes[i].Above = above
	}
	return minutes
}

// TestReadings is what the gates say of minutes that a check at their end, or
// later, sees: in the words that people read.
// quiet are days in which one request in a thousand failed, by itself.
var quiet = func() []sequential.Count {
	past := make([]sequential.Count, 72*60)
	for i := range past {
		past[i] = sequential.Count{Requests: 1000, Errors: int64(i*37%97) / 49}
	}
	return past
}()

func TestReadings(t *testing.T) {
	const plan = `"type": "canary", "interval": 3600, "health": {"latency": {"warm-up": 0}}`
	fine := func(n int64) [4]int64 { return [4]int64{n, n / 1000, n / 20, n / 100} }
	nothing := [4]int64{}
	for _, test := range []struct {
		name    string
		plan    string
		minutes []health.Minute
		alone   int // since this minute the new version has all traffic; 0 for never
		now     int
		lately  health.AliasSnapshot
		before  *health.BaselineHistory
		errors  string
		latency string
	}{
		{"healthy", plan, every(0, 10, fine(9000), fine(1000)), 0, 12, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 10 of 10,000 requests (0.1%), version 7 failed 90 of 90,000 (0.1%); at most 0.14 percentage points worse (95% confidence)`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"few requests", plan, every(0, 3, fine(90), fine(10)), 0, 5, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 failed none of 30 requests, version 7 none of 270; at most 22 percentage points worse (95% confidence)`,
			`inconclusive inconclusive 0% of version 8's requests took over 230 ms (version 7: 4.4%), 0% over 411 ms (version 7: 0%); no harmful slowdown seen`},
		{"bad", plan, every(0, 2, fine(5406), [4]int64{602, 15, 6, 6}), 0, 2, health.AliasSnapshot{}, hour,
			`fail roll-back version 8 failed 30 of 1,204 requests (2.5%), version 7 failed 10 of 10,812 (0.092%); by chance in at most 1 of a billion rollouts`,
			`inconclusive inconclusive 1% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"doubtful", plan, every(0, 1, fine(540), [4]int64{60, 2, 3, 1}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive hold version 8 failed 2 of 60 requests (3.3%), version 7 none of 540; by chance in at most 1 of 10 rollouts; rolls back at 1 of 100`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms (version 7: 5%), 1.7% over 411 ms (version 7: 0.93%); no harmful slowdown seen`},
		{"slow", plan, every(0, 5, fine(9000), [4]int64{1000, 1, 120, 40}), 0, 7, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 5 of 5,000 requests (0.1%), version 7 failed 45 of 45,000 (0.1%); at most 0.22 percentage points worse (95% confidence)`,
			`fail roll-back 12% of version 8's requests took over 230 ms (version 7: 5%), 4% over 411 ms (version 7: 1%); by chance in at most 1 of a billion rollouts`},
		{"slow at the far end only", plan, every(0, 5, fine(9000), [4]int64{1000, 1, 50, 40}), 0, 7, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 5 of 5,000 requests (0.1%), version 7 failed 45 of 45,000 (0.1%); at most 0.22 percentage points worse (95% confidence)`,
			`fail roll-back 5% of version 8's requests took over 230 ms (version 7: 5%), 4% over 411 ms (version 7: 1%); by chance in at most 1 of a billion rollouts`},
		{"slow in one minute", plan, append(every(0, 2, fine(9000), fine(1000)), every(2, 3, fine(9000), [4]int64{1000, 1, 120, 40})...), 0, 3, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 failed 3 of 3,000 requests (0.1%), version 7 failed 27 of 27,000 (0.1%); nothing proven yet`,
			`inconclusive hold 7.3% of version 8's requests took over 230 ms (version 7: 5%), 2% over 411 ms (version 7: 1%); by chance in at most 1 of 16,000 rollouts; rolls back if another minute confirms it`},
		{"too few requests for latency", plan, every(0, 9, fine(80), [4]int64{9, 0, 9, 9}), 0, 9, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 failed none of 81 requests, version 7 none of 720; at most 8 percentage points worse (95% confidence)`,
			`inconclusive inconclusive too few requests to compare durations: version 8 has under 10 a minute`},
		{"warming up", `"type": "canary", "interval": 3600`, every(0, 3, fine(9000), [4]int64{1000, 1, 500, 400}), 0, 3, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 failed 3 of 3,000 requests (0.1%), version 7 failed 27 of 27,000 (0.1%); nothing proven yet`,
			`inconclusive hold 50% of version 8's requests took over 230 ms (version 7: 5%), 40% over 411 ms (version 7: 1%); requests since the shift at 12:00 are slow; the step is held until it is known whether they stay slow or environments had to warm up`},
		{"above a bound", `"type": "canary", "interval": 3600, "health": {"latency": {"warm-up": 0, "p99": 300, "p50": 80.5}}`, bounded(every(0, 4, fine(9000), fine(1000)), 40, 400), 0, 6, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 4 of 4,000 requests (0.1%), version 7 failed 36 of 36,000 (0.1%); at most 0.27 percentage points worse (95% confidence)`,
			`fail roll-back 5% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); 4% over 300 ms (p99: at most 1%), 40% over 80.5 ms (p50: at most 50%); by chance in at most 1 of a billion rollouts`},
		{"within a bound, without a record", `"type": "canary", "interval": 3600, "health": {"latency": {"warm-up": 0, "p99": 300}}`, bounded(every(0, 4, fine(9000), fine(1000)), 4), 0, 6, health.AliasSnapshot{}, &health.BaselineHistory{},
			`pass proven version 8 failed 4 of 4,000 requests (0.1%), version 7 failed 36 of 36,000 (0.1%); at most 0.27 percentage points worse (95% confidence)`,
			`inconclusive inconclusive no durations of version 7 in the hour before the rollout; 0.4% over 300 ms (p99: at most 1%)`},
		{"just after the shift", plan, every(0, 1, fine(9000), [4]int64{1000, 1, 500, 400}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 failed 1 of 1,000 requests (0.1%), version 7 failed 9 of 9,000 (0.1%); nothing proven yet`,
			`inconclusive hold 50% of version 8's requests took over 230 ms (version 7: 5%), 40% over 411 ms (version 7: 1%); requests since the shift at 12:00 are slow; the step is held until it is known whether they stay slow or environments had to warm up`},
		{"no traffic at all", plan, nil, 0, 5, health.AliasSnapshot{}, &health.BaselineHistory{},
			`inconclusive inconclusive no data of version 8 or version 7`,
			`inconclusive inconclusive no durations of version 7 in the hour before the rollout`},
		{"none of the new version", plan, every(0, 5, fine(100), nothing), 0, 5, health.AliasSnapshot{Requests: 500}, hour,
			`inconclusive hold about 11 requests a minute of version 8 have not ended; version 8 has no data, version 7 failed none of 500 requests`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"none of the baseline", plan, every(0, 5, nothing, fine(100)), 0, 5, health.AliasSnapshot{Requests: 500}, hour,
			`inconclusive inconclusive version 8 failed none of 500 requests, version 7 has no data to compare with`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms, 1% over 411 ms; no harmful slowdown seen`},
		{"no data by version", plan, nil, 0, 5, health.AliasSnapshot{Requests: 500}, hour,
			`inconclusive inconclusive CloudWatch has 500 requests of the alias, but none by version`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"metrics that stopped", plan, every(0, 5, fine(9000), fine(1000)), 0, 13, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive no requests of version 8 since 12:05: no traffic, or late metrics`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"a short record", plan, every(0, 2, fine(90), fine(10)), 0, 2, health.AliasSnapshot{}, &health.BaselineHistory{Timed: 199, Over: [2]float64{1, 2}},
			`inconclusive inconclusive version 8 failed none of 20 requests, version 7 none of 180; nothing proven yet`,
			`inconclusive inconclusive version 7 had 199 requests in the hour before the rollout; 200 are needed to know which requests are slow`},
		{"throttles and timeouts", plan, every(0, 2, fine(900), [4]int64{100, 1, 5, 5}), 0, 2, health.AliasSnapshot{Throttles: 1200, Slowest: 3000.5}, hour,
			`inconclusive hold version 8 failed 2 of 200 requests (1%), version 7 none of 1,800; by chance in at most 1 of 13 rollouts; rolls back at 1 of 100; 1,200 requests throttled recently; requests of version 8 time out after 3 s`,
			`inconclusive hold 5% of version 8's requests took over 230 ms (version 7: 5%), 5% over 411 ms (version 7: 1%); requests since the shift at 12:00 are slow; the step is held until it is known whether they stay slow or environments had to warm up`},
		{"alone, as before", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 20, nothing, fine(10000))...), 10, 22, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 10 of 10,000 requests (0.1%), version 7 failed 90 of 90,000 (0.1%); at full weight, version 8 failed 100 of 100,000 requests (0.1%), with up to 0.29% allowed by version 7's record; at most 0.13 percentage points worse (95% confidence)`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"alone, and twice as bad", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 20, nothing, [4]int64{10000, 20, 900, 180})...), 10, 22, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 10 of 10,000 requests (0.1%), version 7 failed 90 of 90,000 (0.1%); at full weight, version 8 failed 200 of 100,000 requests (0.2%), with up to 0.29% allowed by version 7's record; at most 0.13 percentage points worse (95% confidence)`,
			`inconclusive inconclusive 8.6% of version 8's requests took over 230 ms (version 7: 5%), 1.7% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"alone, and bad", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 12, nothing, [4]int64{10000, 60, 500, 100})...), 10, 12, health.AliasSnapshot{}, hour,
			`fail roll-back version 8 failed 10 of 10,000 requests (0.1%), version 7 failed 90 of 90,000 (0.1%); at full weight, version 8 failed 120 of 20,000 requests (0.6%), with up to 0.29% allowed by version 7's record; by chance in at most 1 of a billion rollouts`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"alone, and slow", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 14, nothing, [4]int64{10000, 10, 500, 300})...), 10, 14, health.AliasSnapshot{}, hour,
			`pass proven version 8 failed 10 of 10,000 requests (0.1%), version 7 failed 90 of 90,000 (0.1%); at full weight, version 8 failed 40 of 40,000 requests (0.1%), with up to 0.29% allowed by version 7's record; at most 0.13 percentage points worse (95% confidence)`,
			`fail roll-back 5% of version 8's requests took over 230 ms (version 7: 5%), 2.6% over 411 ms (version 7: 1%); by chance in at most 1 of a billion rollouts`},
		{"alone from the start", `"type": "all-at-once", "interval": 3600, "health": {"latency": {"warm-up": 0}}`, every(0, 3, nothing, fine(600)), 0, 3, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive at full weight, version 8 failed none of 1,800 requests, with up to 0.38% allowed by version 7's record; nothing proven yet`,
			`inconclusive inconclusive 5% of version 8's requests took over 230 ms, 1% over 411 ms; no harmful slowdown seen`},
		{"alone from the start, and bad", `"type": "all-at-once", "interval": 3600, "health": {"latency": {"warm-up": 0}}`, every(0, 1, nothing, [4]int64{600, 30, 3, 1}), 0, 1, health.AliasSnapshot{}, hour,
			`fail roll-back at full weight, version 8 failed 30 of 600 requests (5%), with up to 0.38% allowed by version 7's record; by chance in at most 1 of a billion rollouts`,
			`inconclusive inconclusive 0.5% of version 8's requests took over 230 ms, 0.17% over 411 ms; no harmful slowdown seen`},
		{"alone, with a record of days only", `"type": "all-at-once", "interval": 3600, "health": {"latency": {"warm-up": 0}}`, every(0, 3, nothing, [4]int64{60, 30, 3, 1}), 0, 3, health.AliasSnapshot{}, &health.BaselineHistory{},
			`fail roll-back at full weight, version 8 failed 90 of 180 requests (50%), with up to 0.11% allowed by version 7's record; by chance in at most 1 of a billion rollouts`,
			`inconclusive inconclusive no durations of version 7 in the hour before the rollout`},
		{"alone without a record", `"type": "all-at-once", "interval": 3600, "health": {"latency": {"warm-up": 0}}`, every(0, 3, nothing, [4]int64{60, 30, 3, 1}), 0, 3, health.AliasSnapshot{}, &health.BaselineHistory{},
			`inconclusive inconclusive at full weight, version 8 failed 90 of 180 requests (50%), with no record of version 7 to compare with; nothing proven yet`,
			`inconclusive inconclusive no durations of version 7 in the hour before the rollout`},
		{"bad, strictly", `"type": "canary", "interval": 3600, "health": {"latency": {"warm-up": 0}, "errors": {"strict": true}}`, every(0, 1, fine(5406), [4]int64{602, 31, 6, 6}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive hold version 8 failed 31 of 602 requests (5.1%), version 7 failed 5 of 5,406 (0.092%); by chance in at most 1 of 3 rollouts; rolls back at 1 of 100`,
			`inconclusive inconclusive 1% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"bad within the margin", `"type": "canary", "interval": 3600, "health": {"latency": {"warm-up": 0}, "errors": {"margin": 0.1}}`, every(0, 1, fine(5406), [4]int64{602, 31, 6, 6}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 failed 31 of 602 requests (5.1%), version 7 failed 5 of 5,406 (0.092%); nothing proven yet`,
			`inconclusive inconclusive 1% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
		{"bad in clusters", `"type": "canary", "interval": 3600, "health": {"latency": {"warm-up": 0}, "errors": {"dispersion": 10}}`, every(0, 1, fine(5406), [4]int64{602, 31, 6, 6}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive hold version 8 failed 31 of 602 requests (5.1%), version 7 failed 5 of 5,406 (0.092%); by chance in at most 1 of 38 rollouts; rolls back at 1 of 100`,
			`inconclusive inconclusive 1% of version 8's requests took over 230 ms (version 7: 5%), 1% over 411 ms (version 7: 1%); no harmful slowdown seen`},
	} {
		s := begin(t, test.plan)
		s.Plan.Timeout = 3
		if test.alone > 0 {
			s = shift(t, s, after(test.alone))
		}
		past := quiet
		if strings.HasSuffix(test.name, "without a record") {
			past = nil
		}
		_, h, err := health.Evidence{}.Check(s, after(test.now), health.Measurements{Minutes: slices.Clone(test.minutes), Snapshot: test.lately, History: test.before, Past: past})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{test.errors, test.latency} {
			if r := h.Readings[i]; string(r.Status)+" "+string(r.Verdict)+" "+r.Reason != want {
				t.Errorf("%s:\ngot  %s %s %s\nwant %s", test.name, r.Status, r.Verdict, r.Reason, want)
			}
		}
	}
}
