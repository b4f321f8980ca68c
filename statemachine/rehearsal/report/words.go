package report

import "github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"

// words are what a page says otherwise of a rehearsal than of a recorded rollout,
// whose true traffic nobody knows.
type words struct {
	Kind     string
	Time     string // of the charts' axis
	Served   string // what the table of the traffic has
	Rates    string // what the chart of the errors has
	Around   string // the alias before and after what
	Footnote string
	About    []string // where a recorded rollout's figures are from

	that, of string // in the facts
	absent   string // of an alias of which nothing is known
}

func wordsOf(r rehearsal.Result) words {
	if r.Recorded == nil {
		return words{
			Kind: "Rehearsal of a rollout", Time: "virtual time",
			Served: "What each version really served", Rates: "Of what was really served, whatever the metrics knew.",
			Around:   "Before the rehearsal and after it",
			Footnote: "Virtual time, and a local AWS: nothing real was touched. The same input, scenario and seed give the same page.",
			that:     " that it served", of: "of virtual time", absent: "there is no alias",
		}
	}
	by := "CloudWatch"
	if r.Recorded.Counted == rehearsal.ByChecks {
		by = "the health checks"
	}
	return words{
		Kind: "Recording of a rollout", Time: "time",
		Served: "What each version served, as " + by + " counted", Rates: "As " + by + " counted.",
		Around:   "Before the rollout, and as it left it",
		Footnote: "Made of the execution’s history: the rollout is over or under way on AWS, and this page touches nothing.",
		About:    r.Recorded.About(),
		that:     " that " + by + " counted", of: "from the execution’s start", absent: "not known from the history",
	}
}
