package rehearsal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// topics are those that scenario files name.
const topics = "arn:aws:sns:eu-central-1:123456789012:team"

// synthesized is the stack's template with all that can be allowed, made once by
// the CDK app.
var synthesized = sync.OnceValues(func() ([]byte, error) { return synthesize("") })

// synthesize has the CDK app make the template with all that can be allowed, and
// with more context. No function is built for it.
func synthesize(more string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "lambda-rollout-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	app := exec.Command("go", "run", "./infra")
	app.Dir = filepath.Join("..", "..")
	app.Env = append(os.Environ(), "CDK_OUTDIR="+folder, `CDK_CONTEXT_JSON={"gates": "probes,checks,hooks,endpoints,provisioned-concurrency", "topics": "`+topics+`", "simple": "true", "stack": "true", "aws:cdk:bundling-stacks": []`+more+`}`)
	if out, err := app.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go run ./infra: %w: %s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(folder, "LambdaRollout.template.json"))
	var compact bytes.Buffer // for tests to find texts in
	if err == nil {
		err = json.Compact(&compact, data)
	}
	return compact.Bytes(), err
}

// parsed is the same, read.
var parsed = sync.OnceValues(func() (*Template, error) {
	data, err := synthesized()
	if err != nil {
		return nil, err
	}
	return ParseTemplate(data)
})

func deployedTemplate(t testing.TB) *Template {
	t.Helper()
	template, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// TestWhatStandsThereIsPaidFor holds what is counted in the cost of a stack to
// the template.
func TestWhatStandsThereIsPaidFor(t *testing.T) {
	t.Parallel()
	deployedTemplate(t)
	data, _ := synthesized()
	var stack struct {
		Resources map[string]struct {
			Type       string
			Properties struct{ Metrics []struct{ MetricStat any } }
		}
	}
	if err := json.Unmarshal(data, &stack); err != nil {
		t.Fatal(err)
	}
	billed := 0
	for _, r := range stack.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		of := 0
		for _, metric := range r.Properties.Metrics {
			if metric.MetricStat != nil {
				of++
			}
		}
		billed += max(of, 1)
	}
	const ofStacks = 2 // those of StackRequestsGivenUp, which is not there by default
	if billed != alarms+ofStacks {
		t.Errorf("the stack's alarms stand on %d metrics, and the cost is of %d", billed, alarms+ofStacks)
	}
	for kind, want := range map[string]int{"AWS::CloudWatch::Dashboard": dashboardsOfStack, "AWS::KMS::Key": 0} {
		if got := bytes.Count(data, []byte(`"Type":"`+kind+`"`)); got != want {
			t.Errorf("the stack has %d of %s, and the cost is of %d", got, kind, want)
		}
	}
}

// changedTemplate is the template with one text in place of another.
func changedTemplate(t *testing.T, from, to string) *Template {
	t.Helper()
	deployedTemplate(t)
	data, _ := synthesized()
	changed := bytes.Replace(data, []byte(from), []byte(to), 1)
	if bytes.Equal(changed, data) {
		t.Fatalf("the template has no %s", from)
	}
	template, err := ParseTemplate(changed)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

// play is a rehearsal that permissions are tried with.
type play struct {
	name    string
	options Options
	release *ReleaseOptions // in their place; nil for a rollout
}

// plays are the built-in scenarios, and all scenario files through the workflow;
// those of the gates through the one function, too.
func plays(t testing.TB) []play {
	t.Helper()
	var all []play
	for _, name := range BuiltIn() {
		scenario, _ := LoadBuiltIn(name)
		all = append(all, play{name: name, options: Options{Input: []byte(blogs), Scenario: scenario, Seed: 1}})
	}
	for _, file := range ScenarioFiles(t) {
		all = append(all, play{name: file.Name(), options: file.Options})
		if file.OfGates() {
			options := file.Options
			options.Simple = true
			all = append(all, play{name: file.Name() + ", in one function", options: options})
		}
	}
	return all
}

// with rehearses with a template and, if it is not empty, with a permission
// taken away. It returns which permissions were needed how often.
func (p play) with(template *Template, without held) (result Result, needed map[held]int, err error) {
	if p.release != nil {
		return p.withRelease(template, without)
	}
	o := p.options
	o.Template = template
	adjust := o.adjust
	o.adjust = func(r *run) {
		if r.machine.permits != nil {
			r.machine.permits.without, needed = without, r.machine.permits.needed
		}
		if adjust != nil {
			adjust(r)
		}
	}
	result, err = Run(o)
	return result, needed, err
}
