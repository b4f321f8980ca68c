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
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
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
	handling             bool
	fired                bool
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
			o.events++
			if o.onEvent != nil {
				o.onEvent(o.events)
			}
		}
	}
}

// byOthers lets others do something, whose own calls are not disturbed.
func (o *seenRelease) byOthers(do func()) {
	o.handling, o.fired = true, true
	do()
	o.handling = false
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

func TestSweepOfReleases(t *testing.T) {
	t.Parallel()
	var faults, crashes, stops, members, changes, contests []releaseTrial
	for _, s := range releaseSubjects() {
		plain := plainRelease(t, s)
		t.Logf("%s: %d calls, %d tasks, %d events", s.name, plain.calls, plain.tasks, plain.events)
		for call := 1; call <= plain.calls; call++ {
			for _, fault := range []localaws.FaultKind{localaws.Throttled, localaws.CutAfter} {
				faults = append(faults, releaseTrial{subject: s, name: fmt.Sprintf("call %d %s", call, fault), disturb: func(o *seenRelease) {
					o.onCall = func(n int) {
						if n == call-1 || call == 1 && n == 1 {
							if _, err := o.server.Inject(localaws.Fault{Operation: localaws.Every, Kind: fault, Count: 1}); err != nil {
								panic(err)
							}
						}
					}
				}})
			}
		}
		for task := 1; task <= plain.tasks; task++ {
			crashes = append(crashes, releaseTrial{subject: s, name: fmt.Sprintf("task %d dies after its work", task), disturb: func(o *seenRelease) {
				o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
					answer, err := next()
					if n == task {
						return nil, &asl.TaskError{Name: "Runtime.ExitError", Cause: "{}"}
					}
					return answer, err
				}
			}}, releaseTrial{subject: s, name: fmt.Sprintf("task %d runs twice", task), disturb: func(o *seenRelease) {
				o.onTask = func(n int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
					if n == task {
						_, _ = next()
					}
					return next()
				}
			}})
		}
		for event := 1; event <= plain.events; event++ {
			at := func(do func(*seenRelease)) func(*seenRelease) {
				return func(o *seenRelease) {
					o.onEvent = func(n int) {
						if n == event {
							o.byOthers(func() { do(o) })
						}
					}
				}
			}
			stop := at(func(o *seenRelease) {
				if len(o.releases.executions) > 0 {
					o.releases.executions[0].Stop("", "Stopped by an operator")
				}
			})
			stops = append(stops, releaseTrial{subject: s, name: fmt.Sprintf("the release is stopped at event %d", event), disturb: stop, lost: event%3 == 0})
			if event%2 == 0 {
				members = append(members, releaseTrial{subject: s, name: fmt.Sprintf("a member is stopped at event %d", event), lost: event%3 == 0, disturb: at(func(o *seenRelease) {
					if n := len(o.machine.executions); n > 0 {
						o.machine.executions[event%n].Stop("", "Stopped by an operator")
					}
				})})
				changes = append(changes, releaseTrial{subject: s, name: fmt.Sprintf("an alias is changed by hand at event %d", event), disturb: at(func(o *seenRelease) {
					m := o.members.all[event%len(o.members.all)]
					o.foreign[m.request.Function()] = true
					store := o.ports.Aliases
					if found, err := store.Read(context.Background(), alias.Name{Function: m.request.Function(), Alias: "live"}); err == nil {
						_, _ = store.Write(context.Background(), alias.Name{Function: m.request.Function(), Alias: "live"}, alias.Content{Routing: alias.Routing{Version: "6"}}, found.RevisionID)
					}
				})})
				contests = append(contests, releaseTrial{subject: s, name: fmt.Sprintf("a rollout of a member's alias is started by hand at event %d", event), disturb: at(func(o *seenRelease) {
					o.foreign["fb"] = true // the other rollout may promote it
					_, _ = o.machine.start("by-hand", json.RawMessage(`{"function-name": "fb", "alias-name": "live", "new-version": "8", "type": "linear", "steps": 2, "interval": 60}`))
				})}, releaseTrial{subject: s, name: fmt.Sprintf("a second release starts at event %d", event), disturb: at(func(o *seenRelease) {
					o.foreign["fb"] = true
					_, _ = o.releases.start("second", json.RawMessage(`{"release": "other", "defaults": {"alias-name": "live", "type": "linear", "steps": 2, "interval": 60}, "rollouts": {"b": {"function-name": "fb", "new-version": "8"}}}`))
				})})
			}
		}
	}
	for kind, trials := range map[string][]releaseTrial{"release, call x fault": faults, "release, crash or double delivery": crashes, "release, stops": stops,
		"release, stops of members": members, "release, foreign changes": changes, "release, another rollout or release": contests} {
		t.Run(kind, func(t *testing.T) { sweepReleases(t, kind, trials) })
	}
}
