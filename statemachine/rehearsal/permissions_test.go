package rehearsal

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// TestRolloutsEndAlikeWithTheirPermissions rehearses with the roles of the
// synthesized templates, and without: nothing is denied, and the results are the
// same but for the state machine's name.
func TestRolloutsEndAlikeWithTheirPermissions(t *testing.T) {
	t.Parallel()
	all := append(allowedPlays(t), narrowedPlays(t)...)
	OnAllCores(len(all), func(i int) {
		p := all[i]
		plain, _, err := p.with(nil, held{})
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			return
		}
		if diff := gocmp.Diff(inWords(t, plain), inWords(t, p.result)); diff != "" {
			t.Errorf("%s (-without +with the template): %s", p.name, diff)
		}
	})
}

// inWords is all of a result.
func inWords(t *testing.T, r Result) string {
	output := string(r.Output)
	r.Output = nil
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text)+output, arn.Name(deployedTemplate(t).machineARN), arn.Name(machineARN))
}

// played is a play with how it ended with the template, and which permissions
// that took.
type played struct {
	play
	result Result
	needed map[held]int
	took   time.Duration
}

// rehearsed are plays that were rehearsed once with a template.
type rehearsed struct {
	once  sync.Once
	plays []played
	err   error
}

// all rehearses the plays, if that was not done before.
func (r *rehearsed) all(t *testing.T, template *Template, plays []play) []played {
	t.Helper()
	r.once.Do(func() {
		r.plays = make([]played, len(plays))
		failed := make([]error, len(plays))
		OnAllCores(len(plays), func(i int) {
			p, start := plays[i], time.Now()
			result, needed, err := p.with(template, held{})
			if err != nil {
				failed[i] = fmt.Errorf("%s: %w", p.name, err)
			}
			r.plays[i] = played{p, result, needed, time.Since(start)}
		})
		r.err = errors.Join(failed...)
	})
	if r.err != nil {
		t.Fatal(r.err)
	}
	return slices.Clone(r.plays)
}

var withTemplate rehearsed

// allowedPlays are all plays, each rehearsed once with the template.
func allowedPlays(t *testing.T) []played {
	t.Helper()
	return withTemplate.all(t, deployedTemplate(t), slices.Concat(plays(t), nestedPlays(), latePlays(), stackPlays(), releasePlays(t)))
}

// nestedPlays are rollouts that go on in other executions, one to its end and
// one that is stopped meanwhile.
func nestedPlays() []play {
	var all []play
	for _, s := range subjects() {
		if !s.nested || s.outcome != Promoted {
			continue
		}
		options := Options{Input: []byte(s.input), Scenario: s.scenario, Seed: 1}
		options.adjust = func(r *run) { observe(r).nested = true }
		all = append(all, play{name: s.name, options: options})
		options.adjust = func(r *run) {
			o := observe(r)
			o.nested = true
			o.onEvent = func(_ int, e *execution) {
				if e.name != first && e.state == "HealthCheck" {
					o.machine.executions[0].Stop("", "Stopped by somebody")
				}
			}
		}
		all = append(all, play{name: s.name + ", stopped", options: options})
	}
	return all
}

// stackPlays are rollouts that a stack waits for.
func stackPlays() []play {
	const input = `{"function-name": "f", "alias-name": "live", "new-version": "8", "type": "canary", "interval": 120, "DeleteAlias": "true"}`
	var all []play
	add := func(name, scenario string, s Stack) {
		world, _ := LoadBuiltIn(scenario)
		none := 0.0
		world.History = &none
		all = append(all, play{name: "a stack, " + name, options: Options{Input: []byte(input), Scenario: world, Seed: 1, Stack: &s}})
	}
	add("promoted", "healthy", Stack{})
	add("rolled back", "errors", Stack{})
	add("cancelled", "healthy", Stack{CancelAfter: 90})
	add("each request twice", "healthy", Stack{Twice: true})
	add("first, and deleted with its alias", "healthy", Stack{First: true, DeleteAfter: 10})
	add("given up", "healthy", Stack{Fault: ProviderFault{Call: 1, Kind: CrashBefore, Times: 10}})
	return all
}

// latePlays are rollouts that lose the alias while they allocate for the new
// version: what comes too late is deleted again.
func latePlays() []play {
	scenario, _ := LoadBuiltIn("healthy")
	scenario.Provisioned = &Provisioned{Baseline: 5}
	options := Options{Input: []byte(moving), Scenario: scenario, Seed: 1}
	options.adjust = func(r *run) {
		r.before = func(operation string) {
			if operation == "PutProvisionedConcurrencyConfig" {
				r.before = nil
				text := "described otherwise"
				r.err = errors.Join(r.err, r.writeAlias(AliasChange{Description: &text}))
			}
		}
	}
	return []play{{name: "allocated too late", options: options}}
}

// unneeded are the permissions of a template that no play needs: it would end
// the same without them, or another one allows the same.
func unneeded(template *Template, plays []played) []string {
	var found []string
	for principal, policies := range template.roles() {
		for _, permission := range policies.Permissions() {
			h := held{principal, permission}
			if !slices.ContainsFunc(plays, func(p played) bool { return p.needed[h] > 0 }) {
				found = append(found, h.String())
			}
		}
	}
	slices.Sort(found)
	return found
}

func (h held) String() string {
	return h.principal[strings.LastIndex(h.principal, "/")+1:] + ": " + h.Permission.String()
}

// excused are permissions that no rehearsal needs, each with the reason why
// there is it. There are none.
var excused = map[string]string{}

func TestEveryPermissionIsNeeded(t *testing.T) {
	t.Parallel()
	want := slices.Sorted(maps.Keys(excused))
	if diff := gocmp.Diff(want, unneeded(deployedTemplate(t), allowedPlays(t))); diff != "" {
		t.Errorf("permissions that no rollout needs (-excused +found): %s", diff)
	}
	if diff := gocmp.Diff(want, unneeded(narrowedTemplate(t), narrowedPlays(t))); diff != "" {
		t.Errorf("permissions that no rollout needs of functions by name, under a key (-excused +found): %s", diff)
	}
}

// TestAnUnneededPermissionIsSeen adds some to a copy of the template, and plays
// again what its functions do most in.
func TestAnUnneededPermissionIsSeen(t *testing.T) {
	t.Parallel()
	const action, statement = `"lambda:GetFunctionConfiguration",`, `{"Action":"cloudwatch:DescribeAlarms","Effect":"Allow","Resource":"*"}`
	for _, change := range []struct{ name, from, to, want string }{
		{"an action", action, action + `"lambda:DeleteAlias",`, "lambda-rollout-CalculateWeights: lambda:DeleteAlias on "},
		{"all of a service", action, `"lambda:*",` + action, "lambda-rollout-CalculateWeights: lambda:* on "},
		{"a statement", statement, statement + `,{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}`, "lambda-rollout-CalculateWeights: iam:PassRole on *"},
		{"a resource", `"` + topics + `"]`, `"` + topics + `","` + topics + `2"]`, "lambda-rollout-UpdateAlias: sns:Publish on " + topics + "2"},
	} {
		template := changedTemplate(t, change.from, change.to)
		var again []played
		for _, p := range allowedPlays(t) {
			if p.name == "everything" {
				result, needed, err := p.with(template, held{})
				if err != nil {
					t.Fatal(err)
				}
				again = append(again, played{p.play, result, needed, 0})
			} else {
				again = append(again, p)
			}
		}
		if found := unneeded(template, again); !slices.ContainsFunc(found, func(one string) bool { return strings.HasPrefix(one, change.want) }) {
			t.Errorf("%s: found %q, and not %s", change.name, found, change.want)
		}
	}
}

// TestEachMissingPermissionIsSeen takes away one permission after the other, and
// plays the shortest play again that needed it.
func TestEachMissingPermissionIsSeen(t *testing.T) {
	t.Parallel()
	template, all := deployedTemplate(t), allowedPlays(t)
	var taken []held
	for principal, policies := range template.roles() {
		for _, permission := range policies.Permissions() {
			taken = append(taken, held{principal, permission})
		}
	}
	var changed atomic.Int64
	OnAllCores(len(taken), func(i int) {
		h := taken[i]
		plays := slices.DeleteFunc(slices.Clone(all), func(p played) bool { return p.needed[h] == 0 })
		if len(plays) == 0 {
			t.Errorf("nothing needs %s", h)
			return
		}
		shortest := slices.MinFunc(plays, func(a, b played) int { return cmp.Compare(a.took, b.took) })
		result, _, err := shortest.with(template, h)
		if err != nil {
			t.Error(err)
			return
		}
		if len(result.Denied) == 0 || !strings.Contains(strings.Join(result.Denied, "\n"), " is not authorized to perform: "+h.Action+" on resource: ") {
			t.Errorf("%s: %s ends the same without %s; denied: %q", shortest.name, result.Outcome, h, result.Denied)
		}
		result.Denied = nil
		if inWords(t, result) != inWords(t, shortest.result) {
			changed.Add(1)
		}
	})
	t.Logf("besides being denied, %d change what the rollout does", changed.Load())
	if changed.Load() < 30 { // logs, traces and the last notifications don't
		t.Errorf("taking permissions away changes %d rollouts", changed.Load())
	}
}

// TestAMissingActionInTheTemplateIsSeen takes one out of the file itself.
func TestAMissingActionInTheTemplateIsSeen(t *testing.T) {
	t.Parallel()
	template := changedTemplate(t, `"cloudwatch:GetMetricData",`, "")
	scenario, _ := LoadBuiltIn("healthy")
	result, err := Run(Options{Input: []byte(subjects()[0].input), Scenario: scenario, Seed: 1, Template: template})
	if err != nil {
		t.Fatal(err)
	}
	want := "User: " + template.functions["HealthCheck"].role.principal + " is not authorized to perform: cloudwatch:GetMetricData on resource: * because no identity-based policy allows the cloudwatch:GetMetricData action"
	if !slices.Equal(result.Denied, []string{want}) || result.Outcome != RolledBack || result.Error != "AccessDenied" {
		t.Errorf("%s with %s, denied %q", result.Outcome, result.Error, result.Denied)
	}
}

// TestAFunctionThatIsNotOptedInIsRefused before anything is touched.
func TestAFunctionThatIsNotOptedInIsRefused(t *testing.T) {
	t.Parallel()
	scenario, _ := LoadBuiltIn("healthy")
	scenario.Untagged = []string{"f"}
	for _, simple := range []bool{false, true} {
		writes := 0
		result, err := Run(Options{
			Input: []byte(subjects()[0].input), Scenario: scenario, Seed: 1, Simple: simple, Template: deployedTemplate(t),
			adjust: func(r *run) {
				r.before = func(operation string) {
					if operation == "UpdateAlias" {
						writes++
					}
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if result.Outcome != Refused || result.Error != "AccessDenied" || !strings.Contains(result.Reason, "Check that the function exists and is opted in to rollouts") {
			t.Errorf("simple %t: %s with %s: %s", simple, result.Outcome, result.Error, result.Reason)
		}
		if writes > 0 || gocmp.Diff(result.AliasBefore, result.AliasAfter) != "" {
			t.Errorf("simple %t: the alias was touched %d times: %+v", simple, writes, result.AliasAfter)
		}
	}
}

// TestAConditionThatIsNotKnownIsAnError, and neither allowed nor denied.
func TestAConditionThatIsNotKnownIsAnError(t *testing.T) {
	t.Parallel()
	template := changedTemplate(t, `"aws:ResourceTag/lambda-rollout":"enabled"`, `"aws:SourceVpc":"vpc-1"`)
	_, err := Run(Options{Input: []byte(subjects()[0].input), Template: template})
	if err == nil || !strings.Contains(err.Error(), "the condition key aws:SourceVpc (StringEquals) is not known for this request") {
		t.Errorf("%v", err)
	}
}
