package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

const wide = `{
  "function-name": "MyFunction",
  "alias-name": "MyAlias",
  "new-version": "2",
  "weights": [0.01, 0.1, 0.5, 1],
  "type": "custom",
  "interval": 600,
  "bake": 3600,
  "notify": {"topics": ["arn:aws:sns:eu-central-1:123456789012:team"]},
  "health": {"probes": [{"name": "order"}]}
}`

func TestCheckAtEachWidth(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		a := newAccount(t, `{}`, nil)
		r := a.runIn(t.Context(), columns, "check", "-f", a.write("rollout.json", wide))
		a.want(r, 0)
		golden(t, fmt.Sprintf("check-%d", columns), r.all())
		for _, line := range strings.Split(r.stdout, "\n") {
			if len([]rune(line)) > columns {
				t.Errorf("at %d columns, a line has more: %s", columns, line)
			}
		}
		if a.calls["StartExecution"] > 0 {
			t.Error("check starts an execution")
		}
	}
}

// TestCheckFindsAllProblemsAtOnce, with their places.
func TestCheckFindsAllProblemsAtOnce(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	r := a.run("check", "-f", a.write("rollout.json", "{\n\"function-name\": \"MyFunction\",\n\"alias-name\": \"MyAlias\",\n\"new-version\": \"2\",\n\"interval\": 0,\n\"health\": {\n\"alarms\":\n[\"a\",\n\"a\"]},\n\"stepps\": 3}"))
	a.want(r, 2, "rollout.json:5: interval must be", "rollout.json:9: health.alarms[1]", `rollout.json:10: stepps is not a known field (did you mean "steps"?)`)
	if r.stdout != "" {
		t.Errorf("it prints a plan: %s", r.stdout)
	}
	noVersion := a.write("rollout.json", `{"function-name": "MyFunction", "alias-name": "MyAlias", "interval": 60, "steps": 2}`)
	a.want(a.run("check", "-f", noVersion), 2, "rollout.json: new-version is missing: add it to the file, or give it with --new-version")
	r = a.run("check", "-o", "json", "-f", a.write("rollout.json", strings.Replace(blog, `"2"`, `"9", "health": {"alarms": ["gone"]}`, 1)))
	var got plan
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 2 || got.Start || len(got.Refusals) != 2 || got.Refusals[0].Name != "VersionNotFound" || got.Refusals[1].Name != "AlarmNotFound" {
		t.Errorf("%d, %v: %s", r.code, err, r.stdout)
	}
}

func TestCheckAsJSON(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	r := a.run("check", "-o", "json", "-f", a.write("rollout.json", wide))
	var got plan
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 0 || !got.Start || len(got.Steps) != 4 || got.Steps[3].Seconds != 4200 || got.Steps[3].After != 1800 ||
		got.Ends.Sub(got.Begins).Seconds() != 6000 || got.Checks < 100 || got.Dollars <= 0 || got.Dollars > 1 || len(got.Unchecked) != 3 {
		t.Errorf("%d, %v: %s", r.code, err, r.stdout)
	}
}

func TestCheckReadsFilesOfAllEncodings(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	for name, text := range encodings(blog + "\r\n") {
		if r := a.run("check", "-f", a.write("rollout.json", text)); r.code != 0 {
			t.Errorf("%s: %s", name, r.all())
		}
	}
	for text, want := range map[string]string{
		"":                                "rollout.json: it is empty",
		"[]":                              "it must be a JSON object",
		"null":                            "it must be a JSON object",
		"{\n\"a\": 1,\n}":                 "line 3: it is not JSON",
		"\xff\xfe{":                       "odd number of bytes",
		"{\"a\": \"\xe4\"}":               "neither UTF-8 nor UTF-16",
		`{"steps": 1, "steps": 2}`:        `the name "steps" comes twice`,
		strings.Repeat(" ", 1<<20) + blog: "larger than",
	} {
		a.want(a.run("check", "-f", a.write("rollout.json", text)), 2, want)
	}
	a.want(a.run("check", "-f", filepath.Join(a.folder, "none.json")), 2, "no such file")
	a.want(a.run("check"), 2, "name its file with -f rollout.json")
}

// TestClearWords for what goes wrong with AWS, whatever is run.
func TestClearWords(t *testing.T) {
	deny := func(principal, action, resource string, _ map[string][]string) error {
		if action == "lambda:GetAlias" && principal == operator {
			return fmt.Errorf("no identity-based policy allows the %s action", action)
		}
		return nil
	}
	type world struct {
		authorize localaws.Authorize
		set       func(*account)
		args      string
		want      string
	}
	answer := func(code string) func(*account) {
		return func(a *account) {
			a.answers = func(w http.ResponseWriter, _ string) bool {
				w.Header().Set("X-Amzn-Errortype", code)
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `{"__type": %q, "message": "The security token included in the request is expired\u001b[2J"}`, code)
				return true
			}
		}
	}
	for name, test := range map[string]world{
		"denied":            {deny, nil, "check", "the AWS credentials don't allow lambda:GetAlias"},
		"expired":           {nil, answer("ExpiredTokenException"), "check", "have expired or are not valid: renew them, as with aws sso login --profile local"},
		"expired, steering": {nil, answer("ExpiredTokenException"), "promote", "have expired or are not valid"},
		"throttled": {nil, func(a *account) {
			a.inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.Throttled})
		}, "check", "AWS has too many calls of this account for the call lambda:GetAlias"},
		"a proxy": {nil, func(a *account) {
			a.inject(localaws.Fault{Operation: "GetAlias", Kind: localaws.ProxyForbidden})
		}, "check", "probably came from a proxy"},
		"no network": {nil, func(a *account) {
			a.write("config", "[profile local]\nregion = eu-central-1\nendpoint_url = http://127.0.0.1:1\n")
		}, "check", "AWS can't be reached for the call lambda:GetAlias: check the network"},
		"no Region":      {nil, func(a *account) { a.write("config", "[profile local]\n") }, "check", "there is no Region: give --region"},
		"no credentials": {nil, func(a *account) { a.write("credentials", "[other]\n"); t.Setenv("AWS_EC2_METADATA_DISABLED", "true") }, "check", "there are no AWS credentials for the call lambda:GetAlias"},
		"no profile":     {nil, func(a *account) { t.Setenv("AWS_PROFILE", "nobody") }, "check", "nobody"},
		"no rollout":     {nil, nil, "promote", "there is no rollout none (Step Functions keeps"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, `{}`, test.authorize)
			if test.set != nil {
				test.set(a)
			}
			args := []string{"check", "-f", a.write("rollout.json", blog)}
			if test.args == "promote" {
				args = []string{"promote", "none"}
			}
			r := a.run(args...)
			code := unknown // nothing was refused
			if name == "no Region" || name == "no profile" {
				code = refused
			}
			a.want(r, code, test.want)
			if strings.Count(r.stderr, "\n") != 1 || strings.Contains(r.stderr, "\x1b") || r.stdout != "" {
				t.Errorf("not one clear line: %q", r.all())
			}
		})
	}
}
