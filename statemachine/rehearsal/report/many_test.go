package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/browsertest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/study"
)

// mixed is a page that has two outcomes, and so many values that bars stand for several.
func mixed() ManyPage {
	d := study.Distribution{
		Runs: 1300, FirstSeed: 7,
		Outcomes: []study.OutcomeShare{
			{Outcome: rehearsal.RolledBack, Share: study.Share{Count: 1250, Share: 1250. / 1300, Low: 0.949, High: 0.971}},
			{Outcome: rehearsal.Promoted, Share: study.Share{Count: 50, Share: 50. / 1300, Low: 0.029, High: 0.051}},
		},
		Unverified:  study.Share{Count: 1, Share: 1. / 1300, Low: 0.00002, High: 0.0043},
		FalseAlarms: &study.Share{Count: 13, Share: 0.01, Low: 0.0053, High: 0.017},
		HarmFound:   &study.Share{Count: 1237, Share: 1237. / 1300, Low: 0.938, High: 0.962},
	}
	var back, bad []float64
	for i := range d.Runs {
		bad = append(bad, math.Floor(math.Pow(float64(i), 1.3)/4))
		if i < 1250 {
			back = append(back, 60+60*math.Floor(math.Sqrt(float64(i))/4))
		}
	}
	d.BadRequests, d.SecondsToRollback = spread(bad...), new(spread(back...))
	return ManyPage{Distribution: d, Input: []byte(example), ScenarioName: "mine", Command: Commands{"go run ./statemachine/lambda-rollout rehearse --runs 1300", "go run ./statemachine/lambda-rollout rehearse --seed 7"}}
}

// spread is of values, the least first.
func spread(values ...float64) study.Spread {
	return study.Spread{Median: study.Quantile(values, 0.5), P95: study.Quantile(values, 0.95), Worst: values[len(values)-1], Values: values}
}

func writtenMany(t testing.TB, p ManyPage) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := WriteMany(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// manyFigures are those that the page says otherwise than the distribution in JSON.
func manyFigures(t *testing.T, tab *browsertest.Tab, d study.Distribution) (wrong []string) {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	type spread struct{ Median, P95, Worst int64 }
	var j struct {
		Runs     int64
		Outcomes []struct {
			Outcome          string
			Count            int64
			Share, Low, High float64
		}
		FalseAlarms struct {
			Count            int64
			Share, Low, High float64
		} `json:"false-alarms"`
		HarmFound struct {
			Count            int64
			Share, Low, High float64
		} `json:"harm-found"`
		Rollback spread `json:"seconds-to-rollback"`
		Bad      spread `json:"bad-requests"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want any) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("the page says %v for %s, the distribution %v", got, what, want))
		}
	}
	share := func(id string, count int64, share, low, high float64) {
		same(id, strings.Contains(tab.Text(id), fmt.Sprintf("%s of %s %s 95%% interval: %s to %s", rollout.Thousands(count), rollout.Thousands(j.Runs),
			rollout.Percent(share), rollout.Percent(low), rollout.Percent(high))), true)
		bar := browsertest.Ask[[]float64](tab, fmt.Sprintf(`[...document.querySelectorAll("#%s .bar rect")].map(e => e.getBoundingClientRect().width)`, id))
		same(id+"’s bar", len(bar) == 2 && math.Abs(bar[1]/bar[0]-share) < 0.001, true)
	}
	for _, o := range j.Outcomes {
		share(o.Outcome, o.Count, o.Share, o.Low, o.High)
	}
	share("harm-found", j.HarmFound.Count, j.HarmFound.Share, j.HarmFound.Low, j.HarmFound.High)
	share("false-alarms", j.FalseAlarms.Count, j.FalseAlarms.Share, j.FalseAlarms.Low, j.FalseAlarms.High)
	same("the headline", strings.HasPrefix(tab.Text("outcome"), rollout.Thousands(j.Outcomes[0].Count)+" of "+rollout.Thousands(j.Runs)), true)
	for id, want := range map[string]int64{"typical-rollback": j.Rollback.Median, "rollback-median": j.Rollback.Median, "rollback-p95": j.Rollback.P95, "rollback-worst": j.Rollback.Worst} {
		same(id, inSeconds(t, tab.Text(id)), want)
	}
	for id, want := range map[string]int64{"typical-bad": j.Bad.Median, "bad-median": j.Bad.Median, "bad-p95": j.Bad.P95, "bad-worst": j.Bad.Worst} {
		same(id, number(t, tab.Text(id)), want)
	}
	for id, want := range map[string]int64{"rollback": j.Outcomes[0].Count, "bad": j.Runs} {
		var all int64
		for _, text := range browsertest.Ask[[]string](tab, fmt.Sprintf(`[...document.querySelectorAll("#%s + details td:nth-child(2)")].map(e => e.textContent)`, id)) {
			all += number(t, text)
		}
		same("the bars of "+id, all, want)
	}
	return wrong
}

// wrongFigures breaks a page of many in some figures, and wants each found.
func wrongFigures(t *testing.T, ctx context.Context) {
	t.Helper()
	p := mixed()
	page := string(writtenMany(t, p))
	defects := []struct{ old, broken, of string }{
		{`id="outcome">1,250`, `id="outcome">1,251`, "the headline"},
		{`class="share">96.2%`, `class="share">96.3%`, "rolled-back"},
		{"interval: 2.9%", "interval: 3%", "promoted"},
		{`class="count">1,237 of`, `class="count">1,238 of`, "harm-found"},
		{`<rect width="10"`, `<rect width="13"`, "false-alarms’s bar"},
		{`id="bad-p95">`, `id="bad-p95">1`, "bad-p95"},
		{`id="rollback-median">0:0`, `id="rollback-median">0:1`, "rollback-median"},
		{`<th scope="row">0:02:00</th><td>`, `<th scope="row">0:02:00</th><td>1`, "the bars of rollback"},
	}
	for _, d := range defects {
		page = strings.Replace(page, d.old, d.broken, 1)
	}
	found := strings.Join(manyFigures(t, browsertest.Open(t, ctx, []byte(page)), p.Distribution), "\n")
	for _, d := range defects {
		if !strings.Contains(found, " for "+d.of+",") {
			t.Errorf("%s is not found to be wrong, only\n%s", d.of, found)
		}
	}
	if n := strings.Count(found, "\n") + 1; n != len(defects) {
		t.Errorf("%d are found to be wrong, of %d:\n%s", n, len(defects), found)
	}
}
