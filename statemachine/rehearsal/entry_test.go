package rehearsal

import (
	"cmp"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestOneEntryForAStep, and one for what is out of the ordinary, but not again for the same.
func TestOneEntryForAStep(t *testing.T) {
	const (
		plan     = `{"function-name": "f", "alias-name": "live", "new-version": "2", "steps": 3, "interval": 240`
		user     = "arn:aws:iam::#:user/operator"
		counted  = "v2 failed # of # v1 # of #"
		counting = "v2 failed"
	)
	for name, test := range map[string]struct {
		input, scenario string
		want            []string // what is decided, and the essence without numbers
	}{
		"promoted": {plan + "}", `{"baseline": {"error-rate": 0}, "new-version": {"error-rate": 0}}`, []string{
			" from version # to version # in # steps and #:#:#", "advance " + counted, "advance " + counted, "promote " + counted,
			" alias live of f now routes all traffic to version #; # checks passed",
		}},
		"without traffic": {plan + "}", `{"requests-per-second": 0}`, []string{
			" from version # to version # in # steps and #:#:#",
			"advance step # of # ended unverified: no requests of version # could be judged",
			"advance step # of # ended unverified: no requests of version # could be judged",
			"promote step # of # ended unverified: no requests of version # could be judged",
			" alias live of f now routes all traffic to version #; unverified: in # of # steps version # had too little traffic to judge; # checks, none failed",
		}},
		"without health checks": {plan + `, "health-check": false}`, `{}`, []string{
			" from version # to version # in # steps and #:#:#", "advance step # of # ended; no gates were checked", "advance step # of # ended; no gates were checked", "promote step # of # ended; no gates were checked",
			" alias live of f now routes all traffic to version #; health was not checked, as requested",
		}},
		"orders": {plan + "}", `{"baseline": {"error-rate": 0}, "new-version": {"error-rate": 0}, "changes": [
			{"after": 70, "order": "approve"}, {"after": 250, "order": "pause"}, {"after": 370, "order": "resume"}]}`, []string{
			" from version # to version # in # steps and #:#:#",
			" operator orders approve",
			"watch " + counted + `|order "approve" by ` + user + ": ignored: the rollout does not wait for approval",
			"advance " + counted,
			" operator orders pause",
			"watch step # of # is paused by " + user + ". If no order ends that within # day, the rollout is rolled back; " + counted,
			" operator orders resume",
			"watch " + counted,
			"advance " + counted,
			"promote " + counted,
			" alias live of f now routes all traffic to version #; # checks passed",
		}},
		"retries": {plan + "}", `{"baseline": {"error-rate": 0}, "new-version": {"error-rate": 0}, "faults": [{"task": "HealthCheck", "kind": "out-of-memory", "count": 1}]}`, []string{
			" from version # to version # in # steps and #:#:#", " failed with", "watch " + counted, "advance " + counted, "advance " + counted, "promote " + counted,
			" alias live of f now routes all traffic to version #; # checks passed",
		}},
		"a gate without data": {plan + `, "health": {"metrics": [{"name": "age", "namespace": "Shop", "metric": "Age", "dimensions": {"Shop": "1"}, "max": 5}]}}`, `{"baseline": {"error-rate": 0}, "new-version": {"error-rate": 0}}`, []string{
			" from version # to version # in # steps and #:#:#",
			"watch " + counted + "|metrics.age: no data yet: no period of # s since #:# is complete",
			"watch " + counted + "|metrics.age: no data since #:#",
			"advance " + counted + "|metrics.age: no data since #:#",
			"advance " + counted + "|metrics.age: no data since #:#",
			"promote " + counted + "|metrics.age: no data since #:#",
			" alias live of f now routes all traffic to version #; unverified: metrics.age never had a conclusive reading; # checks, none failed",
		}},
	} {
		world, err := ParseScenario([]byte(test.scenario))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		_, err = Run(Options{Input: []byte(test.input), Scenario: world, Seed: 1, Watch: func(l Entry) {
			if l.Routine {
				return
			}
			for said := range strings.SplitSeq(l.Essence, "\n") {
				if i := strings.Index(said, counting); i >= 0 && strings.Contains(l.Text, "errors") {
					said = strings.TrimSuffix(said[:i], "; ") // the errors' reading has the counts
				}
				if !strings.Contains(l.Text, said) && !strings.HasPrefix(said, "step ") {
					t.Errorf("%s: all that is found lacks %q:\n%s", name, said, l.Text)
				}
			}
			text := cmp.Or(l.Essence, l.Text)
			if l.Error != "" {
				text = "failed with"
			}
			got = append(got, string(l.Decision)+" "+strings.ReplaceAll(digits.ReplaceAllString(text, "$1#"), "\n", "|"))
		}})
		if diff := gocmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

// digits matches a number that is a word.
var digits = regexp.MustCompile(`(^|[ :])\d[\d,]*`)
