package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// The sweep of releases: a few small releases, with every fault at every point, and with
// every stop of the release and of its members. In the end all members' aliases are on one
// side, or the release names those that are not.

// releaseSubject is a release that the sweep disturbs.
type releaseSubject struct {
	name     string
	more     string // fields of the request
	scenario string
	outcome  Outcome // if nothing disturbs it
	nested   bool    // each history seems full at once
}

// quick is a plan of three checks for each of three members in two waves.
const quick = `"waves": [["a"], ["b", "c"]], "next-wave-at": 0.5, "max-wait": 3600,
	"defaults": {"alias-name": "live", "type": "linear", "steps": 2, "interval": 60},
	"rollouts": {"a": {"function-name": "fa", "new-version": "8"}, "b": {"function-name": "fb", "new-version": "8"}, "c": {"function-name": "fc", "new-version": "8"}}`

func releaseSubjects() []releaseSubject {
	return []releaseSubject{
		{name: "all well", outcome: Promoted},
		{name: "one bad", outcome: RolledBack, scenario: `"members": {"c": {"new-version": {"error-rate": 0.5}}}`},
		{name: "each for itself", more: `"together": false, `, outcome: PartlyPromoted, scenario: `"members": {"c": {"new-version": {"error-rate": 0.5}}}`},
		{name: "in many executions", outcome: Promoted, nested: true},
	}
}

// releaseTrial is a release with disturbances.
type releaseTrial struct {
	subject  releaseSubject
	name     string
	disturb  func(*seenRelease)
	workflow *asl.Definition // that of releases, if it is not the deployed one
	through  func(*releaseRun)
	lost     bool // no event of an end is delivered
}

// seenRelease is a rehearsal of a release with what the judge has to know of it.
type seenRelease struct {
	*releaseRun
	calls, tasks, events int
	onCall               func(n int)
	onTask               func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error)
	onEvent              func(n int)
	foreign              map[string]bool // functions whose aliases others have changed
	alone                []string        // members that were promoted before that was decided
	handling             bool
}

func (o *seenRelease) observe(t releaseTrial) {
	o.foreign = map[string]bool{}
	o.before = func(string) {
		if o.handling {
			return
		}
		o.calls++
		if o.onCall != nil {
			o.onCall(o.calls)
		}
	}
	for _, m := range o.machines() {
		if t.lost {
			m.events = 0
		}
		m.wrap = func(call asl.Invoke) asl.Invoke {
			return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
				next := func() (json.RawMessage, error) {
					answer, err := call(ctx, resource, input)
					if t.subject.nested {
						answer = []byte(fullHistory.ReplaceAllString(string(answer), `"events":30000,`))
					}
					return answer, err
				}
				if callerOf(input) == "" { // a cleanup
					return next()
				}
				o.tasks++
				if o.onTask != nil {
					return o.onTask(o.tasks, next)
				}
				return next()
			}
		}
		onEvent := m.onEvent
		m.onEvent = func(e *execution, event asl.Event) {
			onEvent(e, event)
			if event.Type == asl.ExecutionSucceeded && m == o.machine && e.state == "Promoted" {
				o.lookAtDecision(e)
			}
			o.events++
			if o.onEvent != nil {
				o.onEvent(o.events)
			}
		}
	}
}

// byOthers lets others do something, whose own calls are not disturbed.
func (o *seenRelease) byOthers(do func()) {
	o.handling = true
	do()
	o.handling = false
}

// lookAtDecision records a member that was promoted although its release has not decided so.
func (o *seenRelease) lookAtDecision(e *execution) {
	request, err := rollout.Decode(e.input)
	if err != nil || request.Release == nil || !request.Release.Together {
		return
	}
	o.byOthers(func() {
		decision, _, _, err := o.ports.Decisions.Read(context.Background(), request.Release.Execution)
		if err == nil && (decision == nil || decision.Decision != rollout.Promote) {
			o.alone = append(o.alone, request.Release.Member)
		}
	})
}

// try runs a trial and returns what is wrong with its end.
func (t releaseTrial) try(template *Template) (*seenRelease, error) {
	o := &seenRelease{}
	scenario, err := ParseScenario([]byte(`{"history": 3600, "requests-per-second": 2` + strings.TrimSuffix(", "+t.subject.scenario, ", ") + `}`))
	if err != nil {
		return o, err
	}
	result, err := RunRelease(ReleaseOptions{
		Input: []byte(`{"release": "shop", ` + t.subject.more + quick + `}`), Scenario: scenario, Seed: 1, Brief: true, Template: template,
		adjust: func(r *releaseRun) {
			o.releaseRun = r
			o.observe(t)
			if t.workflow != nil {
				r.releases.definition = t.workflow
			}
			if t.through != nil {
				t.through(r)
			}
			if t.disturb != nil {
				t.disturb(o)
			}
		},
	})
	if err != nil {
		return o, fmt.Errorf("the rehearsal failed: %w", err)
	}
	return o, t.judge(o, result)
}

// judge holds the end of a release against what it promises.
func (t releaseTrial) judge(o *seenRelease, result ReleaseResult) error {
	var v verdict
	v.claim(len(result.Denied) == 0, notPermitted, "%q", result.Denied)
	var on, off []string
	for _, m := range o.members.all {
		at, ok := o.server.Alias(m.request.Function(), m.request.AliasName)
		content := alias.Content{Routing: alias.Routing{Version: at.Version, Weights: at.Weights()}, Description: at.Description}
		if o.foreign[m.request.Function()] {
			continue
		}
		v.claim(ok && len(content.Weights) == 0, leftSplit, "%s is at %s", m.name, content)
		v.claim(alias.ParseDescription(content.Description).Marker == nil, leftSplit, "%s still has a marker: %s", m.name, content.Description)
		if content.Version == m.request.NewVersion {
			on = append(on, m.name)
		} else {
			off = append(off, m.name)
		}
	}
	if !strings.Contains(t.subject.more, `"together": false`) {
		named := result.Outcome == Split && !slices.ContainsFunc(on, func(name string) bool { return !strings.Contains(result.Reason, "- "+name+":") })
		v.claim(len(on) == 0 || len(off) == 0 || named, notTogether, "%s are on the new versions, and %s not; the release ended as %s: %s", on, off, result.Outcome, result.Reason)
		v.claim(len(o.alone) == 0, notTogether, "%s were promoted before the release decided that", o.alone)
		v.claim(!slices.ContainsFunc(result.Members, func(m MemberResult) bool { return m.Error == rollout.NotReleased }), notTogether, "members waited in vain for a decision")
		v.claim(result.Outcome != Promoted || len(off) == 0, wrongEnding, "%s are not on the new versions of a release that was promoted", off)
		v.claim(result.Outcome != RolledBack || len(on) == 0, wrongEnding, "%s are on the new versions of a release that was rolled back", on)
	}
	v.claim(result.Outcome != Stopped && result.Outcome != TimedOut && result.Outcome != "", wrongEnding, "the release has no end: %s: %s", result.Outcome, result.Reason)
	said := map[Outcome]string{Promoted: "Release promoted", RolledBack: "Release rolled back", Split: "Release split", PartlyPromoted: "Release partly promoted"}[result.Outcome]
	v.claim(said == "" || result.Notified[said] > 0, wrongNotice, "%s, and notified was %v", result.Outcome, result.Notified)
	return errors.Join(v...)
}

// notTogether is the kind of what a release must never do.
const notTogether = "not together"

// sweepReleases runs trials on all cores and reports those that end wrongly.
func sweepReleases(t *testing.T, kind string, trials []releaseTrial) {
	t.Helper()
	begun := time.Now()
	template := deployedTemplate(t)
	results := make([]error, len(trials))
	OnAllCores(len(trials), func(i int) {
		if _, err := trials[i].try(template); err != nil {
			results[i] = fmt.Errorf("%s, %s: %w", trials[i].subject.name, trials[i].name, err)
		}
	})
	wrong := slices.DeleteFunc(results, func(err error) bool { return err == nil })
	for i, failure := range wrong {
		if i == 5 {
			t.Errorf("%s: and %d more", kind, len(wrong)-i)
			break
		}
		t.Errorf("%s: %v", kind, failure)
	}
	t.Logf("%s: %d cases, %d wrong, %s", kind, len(trials), len(wrong), time.Since(begun).Round(time.Millisecond))
}

// plainRelease returns an undisturbed release, whose calls, tasks and events the others are
// disturbed at.
func plainRelease(t *testing.T, s releaseSubject) *seenRelease {
	t.Helper()
	o, err := releaseTrial{subject: s}.try(deployedTemplate(t))
	if err != nil {
		t.Fatalf("%s, undisturbed: %v", s.name, err)
	}
	return o
}
