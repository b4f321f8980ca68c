package rehearsal

import (
	"fmt"
	"strings"
	"testing"
)

// TestNothingIsSplitWhileAWSAllocates: from the promotion until AWS has allocated, its
// own weights {"7": 1} stand on the alias, and version 7 serves all requests. Then the
// rollout is promoted; if AWS can't allocate, it is rolled back, without weights. All of
// that also while the routing lags.
func TestNothingIsSplitWhileAWSAllocates(t *testing.T) {
	for _, lag := range []float64{0, 40} {
		for fails, want := range map[string]struct {
			outcome Outcome
			version string
		}{
			"":                            {Promoted, "8"},
			"FUNCTION_ERROR_INIT_FAILURE": {RolledBack, "7"},
		} {
			name := fmt.Sprintf("a lag of %v s, failing with %q", lag, fails)
			failing := ""
			if fails != "" {
				failing = fmt.Sprintf(`, "fails": %q`, fails)
			}
			world, err := ParseScenario(fmt.Appendf(nil, `{"history": 3600, "metric-delay": 0, "alias-routing-lag": %v, "provisioned-concurrency": {"alias": 5, "seconds": 90%s}}`, lag, failing))
			if err != nil {
				t.Fatal(err)
			}
			held, split, served := 0, 0, map[string]int64{}
			r, err := Run(Options{Input: []byte(ignoring), Scenario: world, Seed: 1, adjust: func(r *run) {
				r.before = func(string) {
					a, _ := r.server.RoutingAt("f", "live", r.clock.Now())
					switch now := r.traffic.served["8"].Invocations; {
					case a.Version == "8" && a.Additional == "7" && a.Weight == 1:
						if before, ok := served["8"]; ok && now != before {
							t.Errorf("%s: version 8 has served %d requests while AWS allocates", name, now-before)
						}
						held, served["8"] = held+1, now
					case a.Weight != 0 && a.Weight != 1:
						split++
					}
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != want.outcome || r.AliasAfter.Version != want.version || len(r.AliasAfter.Weights) > 0 {
				t.Errorf("%s: %s: %s; the alias is %+v", name, r.Outcome, r.Reason, r.AliasAfter)
			}
			if fails != "" && (r.Error != "AllocationFailed" || !strings.Contains(r.Reason, fails)) {
				t.Errorf("%s: %s: %s", name, r.Error, r.Reason)
			}
			if held == 0 || split > 0 || r.Seconds < 60+90 {
				t.Errorf("%s: AWS's weights were seen %d times, others %d times; it took %v s", name, held, split, r.Seconds)
			}
			if waits := strings.Count(strings.Join(r.Path, " "), "Wait for allocation"); waits == 0 {
				t.Errorf("%s: nothing waits for the allocation: %s", name, r.Path)
			}
		}
	}
}
