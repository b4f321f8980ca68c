package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// listedMembers is how many rollouts of a release a page lists.
const listedMembers = 50

// releasePage is the content of the page about a release.
type releasePage struct {
	*rollouts.Release
	Badge    badge
	Tone     string
	Says     string // how it stands, in a few words
	Progress string
	Took     string
	Running  bool // its execution, or the one that ends it
	// Cause is why it ended or, while it runs, what its last check found, line by line.
	Cause    []string
	Waves    []waveRow
	Members  []memberRow
	Earlier  int // the first member of the page before; -1 for none
	Later    int // that of the next page; 0 for none
	Commands []command
	// Given are the orders that checks have read, the newest first.
	Given []rollout.Order

	// Machine is drawn with what the executions of the release entered: its own, the last one in
	// which it continued, and the one that ended it. Current is the state in which it is.
	Machine machine
	Current string
	Missing int    // events of their histories
	Unread  string // why they can't be shown

	Alarms        alarms
	Notifications []sent
	Known         bool // whether notifications are
	Input         document
}

// waveRow says how far a wave is.
type waveRow struct {
	Number, Rollouts int
	Weight           float64 // the mean
	Standings        string
}

// memberRow is a rollout of a release. Sign and Tone repeat what its standing says.
type memberRow struct {
	rollouts.ReleaseMember
	Stands, Sign, Tone string
	Started            bool // it has an execution
}

// outcomeTones are the style sheet's for outcomes. That of others is "bad".
var outcomeTones = map[rollouts.Outcome]string{
	rollouts.Running: "", rollouts.Promoted: "good", rollouts.Unchanged: "good", rollouts.Stopped: "warn", rollouts.TimedOut: "warn",
}

// released returns the release with the name of any of its executions.
func (c *console) released(ctx context.Context, name string) (*rollouts.Release, error) {
	if name == "" || len(name) > 80 || strings.Contains(name, ":") {
		return nil, errNotFound
	}
	return c.reader.GetRelease(ctx, name, c.Now())
}

// release answers with the page about a release.
func (c *console) release(r *http.Request) (*page, error) {
	ctx, query := r.Context(), r.URL.Query()
	found, err := c.released(ctx, query.Get("name"))
	if err != nil {
		return nil, err
	}
	data := &releasePage{Release: found, Badge: badgeOf(found.Status), Took: took(found.Started, found.Ended, c.Now()), Running: found.Status == "RUNNING", Given: slices.Clone(found.Orders)}
	slices.Reverse(data.Given)
	tone, known := outcomeTones[found.Outcome]
	if data.Tone = tone; !known {
		data.Tone = "bad"
	}
	headline, _ := found.Headline()
	data.Says = headline[:1] + strings.ToLower(headline[1:])
	if found.Reason != "" {
		data.Cause = strings.Split(rollout.Shorten(found.Reason, maxCause), "\n")
	}
	data.Commands = commandsOf(found)
	data.describe(query.Get("from"))
	var all sync.WaitGroup
	all.Go(func() { data.Alarms = c.alarms(ctx) })
	all.Go(func() { data.Input = c.inputOf(ctx, found) })
	all.Go(func() { c.followRelease(ctx, data) })
	all.Wait()
	data.Notifications, data.Known = c.about(found.Execution)
	p := &page{name: "release", Title: data.Says + ": " + found.Name, Every: 5, Data: data}
	if found.Outcome == rollouts.Running {
		p.Every = 1
	}
	return p, nil
}

// followRelease fills in the path through the workflow of releases.
func (c *console) followRelease(ctx context.Context, data *releasePage) {
	var visits []visit
	for _, execution := range []string{data.Execution, data.Continued, data.Concluded} {
		if execution == "" {
			continue
		}
		events, err := c.histories.of(execution, data.Started).read(ctx, c.executions, execution)
		if err != nil {
			data.Unread = words(err)
		}
		entered, missing := visitsOf(events)
		if len(entered) > 0 {
			entered[0].Begins = true
		}
		visits, data.Missing = append(visits, entered...), data.Missing+int(missing)
	}
	if n := len(visits); n > 0 && data.Running && visits[n-1].Exited.IsZero() {
		data.Current = visits[n-1].State
	}
	data.Machine = drawn(c.releaseLayout, visits, data.Current)
}

// keptInputs limits how many inputs of releases are kept. They never change.
const keptInputs = 16

// inputOf returns the input of a release; an empty one if it can't be read.
func (c *console) inputOf(ctx context.Context, r *rollouts.Release) document {
	key := r.Execution + " " + r.Started.String()
	c.mu.Lock()
	kept, ok := c.inputs[key]
	c.mu.Unlock()
	if ok {
		return kept
	}
	out, err := c.describedOf(ctx, c.releases, r.Name)
	if err != nil {
		return document{}
	}
	read := newDocument(aws.ToString(out.Input))
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.inputs) >= keptInputs {
		clear(c.inputs)
	}
	c.inputs[key] = read
	return read
}

// describe fills in the waves, and the members from one number on.
func (p *releasePage) describe(from string) {
	waves := make([]waveRow, p.Release.Waves)
	standings := make([]map[release.Standing]int, len(waves))
	for _, m := range p.Rollouts {
		if m.Wave < 1 || m.Wave > len(waves) {
			continue
		}
		row := &waves[m.Wave-1]
		if row.Rollouts++; standings[m.Wave-1] == nil {
			standings[m.Wave-1] = map[release.Standing]int{}
		}
		row.Weight += m.Weight
		standings[m.Wave-1][m.Standing]++
	}
	for i := range waves {
		waves[i].Number, waves[i].Standings = i+1, counted(standings[i])
		waves[i].Weight /= float64(max(1, waves[i].Rollouts))
	}
	p.Waves, p.Progress = waves, counted(p.Standings)
	first, err := strconv.Atoi(from)
	if err != nil || first < 0 || first >= len(p.Rollouts) {
		first = 0
	}
	last := min(first+listedMembers, len(p.Rollouts))
	for _, m := range p.Rollouts[first:last] {
		row := memberRow{ReleaseMember: m, Stands: stands(m.Standing), Sign: "–", Started: m.Standing != release.Waiting}
		switch m.Standing {
		case release.Ready, release.Promoted, release.Unchanged:
			row.Sign, row.Tone = "✓", "good"
		case release.UnderWay:
			row.Sign = "▶"
		}
		if m.Red {
			row.Sign, row.Tone = "✕", "bad"
		}
		p.Members = append(p.Members, row)
	}
	if p.Earlier = max(0, first-listedMembers); first == 0 {
		p.Earlier = -1
	}
	if last < len(p.Rollouts) {
		p.Later = last
	}
}

// stands returns a standing in words.
func stands(s release.Standing) string { return strings.ReplaceAll(string(s), "-", " ") }

// counted says how many rollouts stand how.
func counted(numbers map[release.Standing]int) string {
	var texts []string
	for _, standing := range release.Standings() {
		if n := numbers[standing]; n > 0 {
			texts = append(texts, rollout.Thousands(int64(n))+" "+stands(standing))
		}
	}
	return strings.Join(texts, ", ")
}

// commandsOf returns the orders that can be given to a release, those that answer first if it
// waits for an approval or is paused.
func commandsOf(r *rollouts.Release) []command {
	all := []command{
		{string(rollout.AdvanceNow), "Advance all to their next steps"}, {string(rollout.PromoteNow), "Promote all now"}, {string(rollout.RollBackNow), "Roll back all"},
		{string(rollout.PauseNow), "Pause"},
	}
	if r.Pause != nil {
		all[len(all)-1] = command{string(rollout.ResumeNow), "Resume"}
	}
	if r.Approval != nil {
		all = append([]command{{string(rollout.Approve), "Approve"}, {string(rollout.Disapprove), "Refuse"}}, all...)
	}
	return all
}

// stopRelease stops the execution that carries out a release.
func (c *console) stopRelease(r *http.Request) (string, error) {
	found, err := c.released(r.Context(), r.PostFormValue("name"))
	if err != nil {
		return "", err
	}
	in := &sfn.StopExecutionInput{ExecutionArn: aws.String(cmp.Or(found.Concluded, found.Execution))}
	if cause := strings.TrimSpace(r.PostFormValue("cause")); cause != "" {
		in.Cause = &cause
	}
	_, err = c.executions.StopExecution(r.Context(), in)
	return c.afterwards(c.releases, found.Name, "halted"), err
}

// orderRelease gives an order to a release.
func (c *console) orderRelease(r *http.Request) (string, error) {
	value := r.PostFormValue("command")
	if !slices.Contains(rollout.Commands(), rollout.Command(value)) {
		return "", formError("There is no such order.")
	}
	found, err := c.released(r.Context(), r.PostFormValue("name"))
	if err != nil {
		return "", err
	}
	return c.afterwards(c.releases, found.Name, ordered+value), c.give(r.Context(), release.ControlParameter(found.Name), value)
}
