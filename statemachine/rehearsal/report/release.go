package report

import (
	"bytes"
	"io"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// ReleasePage is the content of a page about a release, rehearsed or on AWS. Its texts may
// contain anything: the page shows them as text. Times are in seconds since the start.
type ReleasePage struct {
	Name    string // of the release; may be empty
	Outcome rehearsal.Outcome
	// Headline says how a release stands that runs; empty for the words of the outcome.
	Headline string
	// Error and Reason say why. Of a split release, the reason has a line for each rollout
	// that needs an operator, from the second line on.
	Error, Reason string
	Unverified    []string // rollouts of which too little was seen to judge them
	Start         time.Time
	Seconds       float64 // until the end, or so far
	// Members are in any order.
	Members            []ReleaseMember
	Decision, Reversal *release.Decision
	Orders             []rollout.Order
	// Reasons are why the orders were given, by their numbers, as far as they are known, and
	// ReasonsNote says why they are not; it may be empty.
	Reasons     map[int64]string
	ReasonsNote string
	// Path has the states of the release's first execution in the order in which they were
	// entered. The page has no diagram if the workflow of this version has no such state.
	Path []string
	// Waits says what the release waits for: an approval, or the end of a pause.
	Waits []string
	// Actions are what an operator may do, beside what the reason of a split release says.
	Actions []Action
	// Rehearsed has what only a rehearsal knows; nil for a release on AWS.
	Rehearsed *RehearsedRelease
}

// ReleaseMember is a rollout of a release. What is not known is empty, and Wave is 0.
type ReleaseMember struct {
	Name            string
	Wave            int // from 1
	Function, Alias string
	NewVersion      string
	Standing        release.Standing
	// Red means that it ended badly, and not because its release was rolled back.
	Red, Unverified bool
	Error, Reason   string
	// Started, Ready and Ended are 0 if it did not start, was not ready or did not end.
	Started, Ready, Ended float64
	// FirstBad is when its new version began to fail requests, 0 for never; only a
	// rehearsal knows it, and BadRequests.
	FirstBad    float64
	BadRequests int64
}

// Action is something that an operator may do, with the command line for it; empty for none.
type Action struct{ Text, Command string }

// RehearsedRelease is what only a rehearsal of a release knows.
type RehearsedRelease struct {
	Result       rehearsal.ReleaseResult
	Input        []byte
	Scenario     rehearsal.Scenario
	ScenarioName string // as the user gave it
	Seed         uint64
	Command      string // the command line that makes the page again
}

// WriteRelease writes the page about a release as HTML.
func WriteRelease(w io.Writer, p ReleasePage) error {
	var page bytes.Buffer
	if err := fill(&page, "release.html", newReleaseView(p)); err != nil {
		return err
	}
	_, err := w.Write(bytes.Map(visible, page.Bytes()))
	return err
}

// visible returns a space in place of what steers terminals, and nothing for what changes the
// direction of writing: a page is copied from as well.
func visible(r rune) rune {
	if r == '\n' || r >= ' ' && r <= '~' {
		return r
	}
	for _, r = range rollout.OneLine(string(r)) {
		return r
	}
	return -1
}

// WriteRehearsedRelease writes the page about a rehearsal of a release as HTML.
func WriteRehearsedRelease(w io.Writer, of RehearsedRelease) error {
	r := of.Result
	p := ReleasePage{
		Name: r.Release, Outcome: r.Outcome, Error: r.Error, Reason: r.Reason, Seconds: r.Seconds, Start: r.Start,
		Decision: r.Decision, Reversal: r.Reversal, Orders: r.Orders, Path: r.Path, Rehearsed: &of,
	}
	back := r.Outcome != rehearsal.Promoted && r.Outcome != rehearsal.Unchanged && r.Outcome != rehearsal.PartlyPromoted
	for _, m := range r.Members {
		p.Members = append(p.Members, rehearsedMember(m, back))
	}
	return WriteRelease(w, p)
}

// rehearsedMember returns a rollout of a rehearsed release. back means that the release was
// not promoted.
func rehearsedMember(m rehearsal.MemberResult, back bool) ReleaseMember {
	to := ReleaseMember{
		Name: m.Member, Wave: m.Wave, Function: m.Function, Alias: m.Alias, NewVersion: m.NewVersion, Standing: standingOf(m, back),
		Error: m.Error, Reason: m.Reason, BadRequests: m.BadRequests, Started: m.Started, Ready: m.Ready, Ended: m.Ended, FirstBad: m.FirstBad,
	}
	to.Red = looks[to.Standing].bad && m.Error != rollout.ReleaseRolledBack
	return to
}

// standingOf returns the standing that a rehearsed rollout has at the end.
func standingOf(m rehearsal.MemberResult, back bool) release.Standing {
	a := m.AliasAfter
	switch {
	case m.Outcome == "":
		return release.Waiting
	case m.Outcome == rehearsal.NotStarted, m.Outcome == rehearsal.Failed:
		return release.Refused
	case m.Outcome != rehearsal.Promoted || !back:
		return release.Standing(m.Outcome)
	case a != nil && len(a.Weights) == 0 && a.Version == m.Baseline:
		return release.TakenBack
	}
	return release.NotRestored
}
