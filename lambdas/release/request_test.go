package release_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

const defaults = `{"alias-name": "live", "type": "linear", "steps": 10, "interval": 120, "health": {"alarms": ["api"], "errors": {"margin": 0.02}}}`

// decoded returns the request of an input that has to be valid.
func decoded(t *testing.T, input string) release.Request {
	t.Helper()
	r, err := release.Decode([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// problems returns the problems of an input, each as one line.
func problems(t *testing.T, input string) []string {
	t.Helper()
	_, err := release.Decode([]byte(input))
	var refused *rollout.RequestError
	if !errors.As(err, &refused) {
		t.Fatalf("%s: accepted, or another error: %v", input, err)
	}
	var lines []string
	for _, p := range refused.Problems {
		lines = append(lines, p.Error())
	}
	return lines
}

// A member's input is its own fields over the defaults, object by object, with what the
// release adds; null takes a default back.
func TestInputsOfMembers(t *testing.T) {
	const text = `{"release": "shop", "waves": [["b"], ["a"]], "max-pause": 600, "notify": {"topics": ["arn:aws:sns:eu-central-1:123456789012:t"]}, "max-wait": 7200, "defaults": ` + defaults + `,
		"rollouts": {"b": {"function-name": "cart", "new-version": "12", "health": {"alarms": null, "errors": {"margin": 0.03}}}, "a": {"function-name": "pay", "new-version": 3, "steps": 4}}}`
	r := decoded(t, text)
	if got := fmt.Sprint(r.Waves, r.Together, r.CheckInterval); got != "[[b] [a]] true 60" {
		t.Error(got)
	}
	owner := "arn:aws:states:eu-central-1:123456789012:execution:releases:one"
	b, _ := r.Member("b")
	var got, want any
	_ = json.Unmarshal(r.Input(b, owner), &got)
	_ = json.Unmarshal([]byte(`{"function-name": "cart", "new-version": "12", "alias-name": "live", "type": "linear", "steps": 10, "interval": 120, "max-pause": 600,
		"health": {"errors": {"margin": 0.03}}, "release": {"execution": "`+owner+`", "member": "b", "together": true, "max-wait": 7200},
		"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "`+owner+`"}`), &want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, m := range r.Members {
		if one, member, ok := release.DecodeMember([]byte(text), m.Name); !ok || string(one.Input(member, owner)) != string(r.Input(m, owner)) {
			t.Errorf("%s alone has another input", m.Name)
		}
		request, err := rollout.Decode(r.Input(m, owner))
		if err != nil || request.Release == nil || *request.Release != (rollout.Membership{Execution: owner, Member: m.Name, Together: true, MaxWait: 7200}) {
			t.Errorf("%s: %v, %v", m.Name, request.Release, err)
		}
	}
	if _, _, ok := release.DecodeMember([]byte(`{"release": "r", "rollouts": {"a": {}}}`), "b"); ok {
		t.Error("there is no member b")
	}
	if r.Notify.Topics[0] != "arn:aws:sns:eu-central-1:123456789012:t" {
		t.Error(r.Notify)
	}
}

// All problems are refused at once, each at the path where its value was given.
func TestProblemsOfAWholeRelease(t *testing.T) {
	got := problems(t, `{"release": "", "wave": [["a"]], "next-wave-at": 2, "waves": [["a", "x", "a"]], "approval": {"before-waves": [1], "timeout": 1}, "freeze": [{"from": "x"}],
		"defaults": {"alias-name": "live", "type": "linear", "steps": 0, "interval": 120, "notify": {}},
		"rollouts": {"a": {"function-name": "cart", "new-version": "$LATEST"}, "b": {"function-name": "pay", "new-version": 3, "steps": 4, "windows": []}, "c d": {}, "e": 1}}`)
	want := []string{
		"release must be a name", "next-wave-at must be a share", "defaults.notify is the release's: set notify beside rollouts", "rollouts.a.new-version", "defaults.steps must be a whole number",
		"freeze", "rollouts.b.windows is the release's", "rollouts must have names", "rollouts.e must be an object", "waves[0][1] must be the name of one of the rollouts", "waves[0][2] is already in a wave",
		"waves must have every rollout: b", "approval.before-waves[0]", "approval.timeout", `wave is not a field here (did you mean "waves"?)`,
	}
	text := strings.Join(got, "\n")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no problem %q in\n%s", w, text)
		}
	}
	if n := strings.Count(text, "\nfreeze[0].from"); n != 1 {
		t.Errorf("the release's own fields are refused %d times:\n%s", n, text)
	}
}

// What only the whole can show: two members of one alias, what can't be taken back, and
// more shifts than Lambda allows.
func TestRefusalsOfTheWhole(t *testing.T) {
	many := func(n, interval int) string {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf(`"m%d": {"function-name": "f%d", "new-version": "2"}`, i, i))
		}
		return fmt.Sprintf(`{"release": "many", "defaults": {"alias-name": "live", "type": "linear", "steps": 10, "interval": %d}, "rollouts": {%s}}`, interval, strings.Join(members, ","))
	}
	for input, want := range map[string]string{
		`{"release": "r", "defaults": ` + defaults + `, "rollouts": {"a": {"function-name": "f", "new-version": "2"}, "b": {"function-name": "arn:aws:lambda:eu-central-1:123456789012:function:f", "new-version": "3"}}}`: "rollouts.b must be another alias than that of rollouts.a",
		`{"release": "r", "defaults": ` + defaults + `, "rollouts": {"a": {"function-name": "f", "new-version": "2", "provisioned-concurrency": "move"}}}`:                                                                 "rollouts.a.provisioned-concurrency can't be taken back",
		many(1000, 60):     "rollouts must need at most 8 shifts a second",
		many(1001, 600):    "rollouts must be an object of 1 to 1000 rollouts",
		`[]`:               "$ must be one JSON object",
		`{"release": "r"}`: "rollouts must be an object of 1 to 1000 rollouts",
		`{"release": "r", "next-wave-at": 0.5, "defaults": ` + defaults + `, "rollouts": {"a": {"function-name": "f", "new-version": "2"}}}`: "next-wave-at applies only with waves",
	} {
		if got := problems(t, input); !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("%.150s: %q, want %q", input, got, want)
		}
	}
	var alarms []string
	for i := range 90 {
		alarms = append(alarms, fmt.Sprintf(`"a%d": {"function-name": "f%d", "new-version": "2", "health": {"alarms": ["%s%d-1", "%[3]s%d-2", "%[3]s%[4]d-3", "%[3]s%[4]d-4", "%[3]s%[4]d-5"]}}`, i, i, strings.Repeat("n", 240), i, i))
	}
	if got := problems(t, `{"release": "r", "defaults": {"alias-name": "live", "type": "linear", "steps": 2, "interval": 600}, "rollouts": {`+strings.Join(alarms, ",")+`}}`); !strings.Contains(got[0], "name alarms that several functions share") {
		t.Error(got)
	}
	r := decoded(t, many(1000, 600))
	if pause := r.StartPause(); pause.Seconds() < 0.7 || pause.Seconds() > 1.5 {
		t.Errorf("a start each %s", pause)
	}
}

// Names of executions are different for each release and member, and short enough.
func TestNamesOfMembers(t *testing.T) {
	long := strings.Repeat("ü", 80)
	seen := map[string]bool{}
	for _, owner := range []string{"one", "one.a", long, long[:158]} {
		for _, member := range []string{"a", "a.b", strings.Repeat("m", 64), strings.Repeat("m", 63)} {
			name := release.MemberName(owner, member)
			if seen[name] || len([]rune(name)) > 80 {
				t.Errorf("%s: %d characters, seen before: %v", name, len([]rune(name)), seen[name])
			}
			seen[name] = true
		}
	}
	if got := release.MemberARN("arn:aws:states:eu-central-1:123456789012:stateMachine:rollouts", "one", "a"); !strings.HasPrefix(got, "arn:aws:states:eu-central-1:123456789012:execution:rollouts:one.a.") {
		t.Error(got)
	}
}
