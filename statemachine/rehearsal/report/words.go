package report

import "github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"

// words are the texts in which pages about rehearsals and about recorded rollouts
// differ: the true traffic of a recorded rollout is not known.
type words struct {
	Kind     string
	Time     string // name of the charts' time axis
	Served   string // caption of the table of traffic
	Rates    string // caption of the chart of errors
	Around   string // caption of the alias before and after
	Footnote string
	About    []string // where a recorded rollout's figures are from

	that, of string // in the facts
	absent   string // for an alias that is not known
}

func wordsOf(r rehearsal.Result) words {
	if r.Recorded == nil {
		return words{
			Kind: "Rehearsal of a rollout", Time: "virtual time",
			Served: "What each version really served until " + r.Span(), Rates: "Of the requests really served, whether the metrics had them or not.",
			Around:   "Before and after the rehearsal",
			Footnote: "Rehearsed in virtual time against a local AWS: nothing real was changed. The same input, scenario and seed give the same page.",
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
		Around:   "Before and after the rollout",
		Footnote: "Made from the history of an execution on AWS. This page changes nothing there.",
		About:    r.Recorded.About(),
		that:     " that " + by + " counted", of: "from the execution’s start", absent: "not known from the history",
	}
}
