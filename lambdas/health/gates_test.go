package health_test

import (
	"slices"
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

// TestReadings is what the gates say of minutes that a check at their end, or
// later, sees: in the words that people read.
func TestReadings(t *testing.T) {
	const plan = `"type": "canary", "interval": 3600`
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
			`pass proven version 8: 10 errors in 10,000 (0.1%), version 7: 90 in 90,000 (0.1%); at most 0.14 points worse (95%)`,
			`inconclusive inconclusive over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 1% of version 8 and 1% of version 7`},
		{"few requests", plan, every(0, 3, fine(90), fine(10)), 0, 5, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8: 0 errors in 30, version 7: 0 in 270; at most 22 points worse (95%)`,
			`inconclusive inconclusive over 230 ms: 0% of version 8 and 4.4% of version 7, over 411 ms: 0% of version 8 and 0% of version 7`},
		{"bad", plan, every(0, 2, fine(5406), [4]int64{602, 15, 6, 6}), 0, 2, health.AliasSnapshot{}, hour,
			`fail roll-back version 8: 30 errors in 1,204 (2.5%), version 7: 10 in 10,812 (0.092%); evidence 10^18, rolls back at 10^2`,
			`inconclusive inconclusive over 230 ms: 1% of version 8 and 5% of version 7, over 411 ms: 1% of version 8 and 1% of version 7`},
		{"doubtful", plan, every(0, 1, fine(540), [4]int64{60, 2, 3, 1}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive hold version 8: 2 errors in 60 (3.3%), version 7: 0 in 540; evidence 10^1.4, rolls back at 10^2`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"slow", plan, every(0, 5, fine(9000), [4]int64{1000, 1, 120, 40}), 0, 7, health.AliasSnapshot{}, hour,
			`pass proven version 8: 5 errors in 5,000 (0.1%), version 7: 45 in 45,000 (0.1%); at most 0.22 points worse (95%)`,
			`fail roll-back over 230 ms: 12% of version 8 and 5% of version 7, over 411 ms: 4% of version 8 and 1% of version 7; evidence 10^29.3, rolls back at 10^2`},
		{"slow at the far end only", plan, every(0, 5, fine(9000), [4]int64{1000, 1, 50, 40}), 0, 7, health.AliasSnapshot{}, hour,
			`pass proven version 8: 5 errors in 5,000 (0.1%), version 7: 45 in 45,000 (0.1%); at most 0.22 points worse (95%)`,
			`fail roll-back over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 4% of version 8 and 1% of version 7; evidence 10^24.7, rolls back at 10^2`},
		{"just after the shift", plan, every(0, 1, fine(9000), [4]int64{1000, 1, 500, 400}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8: 1 error in 1,000 (0.1%), version 7: 9 in 9,000 (0.1%); nothing is proven yet`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"no traffic at all", plan, nil, 0, 5, health.AliasSnapshot{}, &health.BaselineHistory{},
			`inconclusive inconclusive version 8: no data, version 7: no data`,
			`inconclusive inconclusive no durations of version 7 in the hour before the rollout`},
		{"none of the new version", plan, every(0, 5, fine(100), nothing), 0, 5, health.AliasSnapshot{Requests: 500}, hour,
			`inconclusive inconclusive version 8: no data, version 7: 0 in 500`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"none of the baseline", plan, every(0, 5, nothing, fine(100)), 0, 5, health.AliasSnapshot{Requests: 500}, hour,
			`inconclusive inconclusive version 8: 0 errors in 500, version 7: no data to compare with`,
			`inconclusive inconclusive over 230 ms: 5% of version 8, over 411 ms: 1% of version 8`},
		{"no data by version", plan, nil, 0, 5, health.AliasSnapshot{Requests: 500}, hour,
			`inconclusive inconclusive CloudWatch has 500 invocations of the alias lately, but none by version`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"metrics that stopped", plan, every(0, 5, fine(9000), fine(1000)), 0, 13, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive nothing of version 8 since 12:05: no traffic, or metrics that are late`,
			`inconclusive inconclusive over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 1% of version 8 and 1% of version 7`},
		{"a short record", plan, every(0, 2, fine(90), fine(10)), 0, 2, health.AliasSnapshot{}, &health.BaselineHistory{Timed: 199, Over: [2]float64{1, 2}},
			`inconclusive inconclusive version 8: 0 errors in 20, version 7: 0 in 180; nothing is proven yet`,
			`inconclusive inconclusive version 7 had 199 requests in the hour before the rollout, and it takes 200 to tell what is slow`},
		{"throttles and timeouts", plan, every(0, 2, fine(900), [4]int64{100, 1, 5, 5}), 0, 2, health.AliasSnapshot{Throttles: 1200, Slowest: 3000.5}, hour,
			`inconclusive hold version 8: 2 errors in 200 (1%), version 7: 0 in 1,800; evidence 10^1.4, rolls back at 10^2; 1,200 throttled lately; requests of version 8 run into its timeout of 3 s`,
			`inconclusive inconclusive over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 5% of version 8 and 1% of version 7`},
		{"alone, as before", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 20, nothing, fine(10000))...), 10, 22, health.AliasSnapshot{}, hour,
			`pass proven version 8: 10 errors in 10,000 (0.1%), version 7: 90 in 90,000 (0.1%); alone: 100 errors in 100,000 (0.1%), tolerated up to 0.29% by version 7's record; at most 0.13 points worse (95%)`,
			`inconclusive inconclusive over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 1% of version 8 and 1% of version 7`},
		{"alone, and twice as bad", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 20, nothing, [4]int64{10000, 20, 900, 180})...), 10, 22, health.AliasSnapshot{}, hour,
			`pass proven version 8: 10 errors in 10,000 (0.1%), version 7: 90 in 90,000 (0.1%); alone: 200 errors in 100,000 (0.2%), tolerated up to 0.29% by version 7's record; at most 0.13 points worse (95%)`,
			`inconclusive inconclusive over 230 ms: 8.6% of version 8 and 5% of version 7, over 411 ms: 1.7% of version 8 and 1% of version 7`},
		{"alone, and bad", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 12, nothing, [4]int64{10000, 60, 500, 100})...), 10, 12, health.AliasSnapshot{}, hour,
			`fail roll-back version 8: 10 errors in 10,000 (0.1%), version 7: 90 in 90,000 (0.1%); alone: 120 errors in 20,000 (0.6%), tolerated up to 0.29% by version 7's record; evidence 10^10.2, rolls back at 10^2`,
			`inconclusive inconclusive over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 1% of version 8 and 1% of version 7`},
		{"alone, and slow", plan, append(every(0, 10, fine(9000), fine(1000)), every(10, 14, nothing, [4]int64{10000, 10, 500, 300})...), 10, 14, health.AliasSnapshot{}, hour,
			`pass proven version 8: 10 errors in 10,000 (0.1%), version 7: 90 in 90,000 (0.1%); alone: 40 errors in 40,000 (0.1%), tolerated up to 0.29% by version 7's record; at most 0.13 points worse (95%)`,
			`fail roll-back over 230 ms: 5% of version 8 and 5% of version 7, over 411 ms: 2.5% of version 8 and 1% of version 7; evidence 10^11.3, rolls back at 10^2`},
		{"alone from the start", `"type": "all-at-once", "interval": 3600`, every(0, 3, nothing, fine(600)), 0, 3, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8 alone: 0 errors in 1,800, tolerated up to 0.38% by version 7's record; nothing is proven yet`,
			`inconclusive inconclusive over 230 ms: 5% of version 8, over 411 ms: 1% of version 8`},
		{"alone from the start, and bad", `"type": "all-at-once", "interval": 3600`, every(0, 1, nothing, [4]int64{600, 30, 3, 1}), 0, 1, health.AliasSnapshot{}, hour,
			`fail roll-back version 8 alone: 30 errors in 600 (5%), tolerated up to 0.38% by version 7's record; evidence 10^20.3, rolls back at 10^2`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"alone without a record", `"type": "all-at-once", "interval": 3600`, every(0, 3, nothing, [4]int64{60, 30, 3, 1}), 0, 3, health.AliasSnapshot{}, &health.BaselineHistory{},
			`inconclusive inconclusive version 8 alone: 90 errors in 180 (50%), and no record of version 7 to judge them by; nothing is proven yet`,
			`inconclusive inconclusive no durations of version 7 in the hour before the rollout`},
		{"bad, strictly", `"type": "canary", "interval": 3600, "health": {"errors": {"strict": true}}`, every(0, 1, fine(5406), [4]int64{602, 31, 6, 6}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive hold version 8: 31 errors in 602 (5.1%), version 7: 5 in 5,406 (0.092%); evidence 10^0.5, rolls back at 10^2`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"bad within the margin", `"type": "canary", "interval": 3600, "health": {"errors": {"margin": 0.1}}`, every(0, 1, fine(5406), [4]int64{602, 31, 6, 6}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive inconclusive version 8: 31 errors in 602 (5.1%), version 7: 5 in 5,406 (0.092%); nothing is proven yet`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
		{"bad in clusters", `"type": "canary", "interval": 3600, "health": {"errors": {"dispersion": 10}}`, every(0, 1, fine(5406), [4]int64{602, 31, 6, 6}), 0, 1, health.AliasSnapshot{}, hour,
			`inconclusive hold version 8: 31 errors in 602 (5.1%), version 7: 5 in 5,406 (0.092%); evidence 10^1.8, rolls back at 10^2`,
			`inconclusive inconclusive no durations yet (those just after a shift don't count)`},
	} {
		s := begin(t, test.plan)
		s.Plan.Timeout = 3
		if test.alone > 0 {
			s = shift(t, s, after(test.alone))
		}
		_, h, err := health.Evidence{}.Check(s, after(test.now), health.Measurements{Minutes: slices.Clone(test.minutes), Snapshot: test.lately, History: test.before})
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
