package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// shareBar is a share in numbers, and as a bar with its interval.
type shareBar struct {
	verdict
	ID, Count, Of, Share, Interval string
	// Bar is the bar's length, and Low and High are the interval's bounds, in
	// thousandths of all rehearsals.
	Bar, Low, High float64
}

func newShareBar(id string, says verdict, s study.Share, of int) *shareBar {
	return &shareBar{
		verdict: says, ID: id, Count: rollout.Thousands(int64(s.Count)), Of: rollout.Thousands(int64(of)),
		Share: rollout.Percent(s.Share), Interval: interval(s),
		Bar: 1000 * s.Share, Low: 1000 * s.Low, High: 1000 * s.High,
	}
}

func interval(s study.Share) string {
	return rollout.Percent(s.Low) + " to " + rollout.Percent(s.High)
}

// shareBars returns a bar for each outcome, and one for the rollouts promoted
// unverified.
func shareBars(d study.Distribution) []shareBar {
	var all []shareBar
	for _, o := range d.Outcomes {
		all = append(all, *newShareBar(string(o.Outcome), verdicts[o.Outcome], o.Share, d.Runs))
	}
	if d.Unverified.Count > 0 {
		all = append(all, *newShareBar("unverified", verdict{"Promoted, unverified", "These are among the promoted: some step had too little traffic to judge the new version by, or some gate never had data.", "warn", attention}, d.Unverified, d.Runs))
	}
	return all
}

// manyFacts returns the numbers at the top of the page.
func manyFacts(d study.Distribution) []fact {
	alarms := fact{"false-alarm-share", "false alarms", "?", "unknown: the scenario has alarms, checks, probes or the like"}
	if s := d.HarmFound; s != nil {
		alarms = fact{"harm-found-share", "harm found", rollout.Percent(s.Share), "95% interval: " + interval(*s)}
	} else if s := d.FalseAlarms; s != nil {
		alarms.Value, alarms.Of = rollout.Percent(s.Share), "95% interval: "+interval(*s)
	}
	back := fact{"typical-rollback", "until the rollback, median", "–", "none was rolled back"}
	if s := d.SecondsToRollback; s != nil {
		back.Value, back.Of = rehearsal.Clock(s.Median), "95% within "+rehearsal.Clock(s.P95)+", the latest after "+rehearsal.Clock(s.Worst)
	}
	bad := d.BadRequests
	return []fact{
		back,
		{"typical-bad", "bad requests by the new version, median", thousands(bad.Median), "95% of the rollouts: at most " + thousands(bad.P95) + "; the worst: " + thousands(bad.Worst)},
		alarms,
	}
}

func seeds(d study.Distribution) string {
	first := strconv.FormatUint(d.FirstSeed, 10)
	if d.Runs == 1 {
		return "seed " + first
	}
	return "seeds " + first + " to " + strconv.FormatUint(d.FirstSeed+uint64(d.Runs)-1, 10)
}

// mostWeights limits how many weights of a plan are listed.
const mostWeights = 20

// plan describes a request's plan in lines; none if it has no valid plan.
func plan(req rollout.Request) []string {
	steps, err := req.Schedule()
	if err != nil {
		return nil
	}
	var weights []string
	for _, i := range thin(len(steps), mostWeights) {
		weights = append(weights, rollout.Weight(steps[i].Weight))
	}
	says := "weights"
	if len(weights) < len(steps) {
		says = fmt.Sprintf("weights (%d of them)", len(weights))
	}
	return []string{
		fmt.Sprintf("%s, %s", plural(int64(len(steps)), "step"), rehearsal.Clock(float64(rollout.Total(steps)))),
		says + ": " + strings.Join(weights, ", "),
		"checked every " + rehearsal.Clock(float64(req.CheckInterval)),
	}
}
