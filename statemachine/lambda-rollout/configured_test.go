package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// TestConfigurationsThatCannotWork say what is wrong in one line, and neither the SDK's words nor
// its log stand around it.
func TestConfigurationsThatCannotWork(t *testing.T) {
	a := servedtest.New(t, `{}`)
	for _, test := range []struct {
		name, value, want string
	}{
		{"AWS_ACCESS_KEY_ID", "", "there are no AWS credentials for the rollout it: set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; only one of them is set"},
		{"both", "", "there are no AWS credentials for the rollout it: sign in, as with aws sso login, name a profile"},
		{"AWS_PROFILE", "nope", `there is no profile "nope" in the AWS configuration`},
		{"AWS_REGION", "eu central", `"eu central" can't be a Region, which is like eu-central-1`},
		{"AWS_ENDPOINT_URL", "nonsense", `AWS_ENDPOINT_URL is "nonsense", which must be a URL`},
		{"AWS_ENDPOINT_URL", "127.0.0.1:4566", "which must be a URL"},
	} {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			a.Environment(t)
			t.Setenv("AWS_MAX_ATTEMPTS", "1")
			if test.name == "both" {
				t.Setenv("AWS_ACCESS_KEY_ID", "")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "")
			} else {
				t.Setenv(test.name, test.value)
			}
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
			code, _, stderr := ran(t, a, "get", "it")
			if code == 0 || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "operation error") || strings.Contains(stderr, "renew") {
				t.Errorf("%d: %s", code, stderr)
			}
		})
	}
}

// TestTheSDKsLogIsNotPrinted: it warns where it looks for credentials on a machine without a role.
func TestTheSDKsLogIsNotPrinted(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	a.Answer(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "no", http.StatusForbidden)
		return true
	})
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", a.URL)
	logged, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(before *os.File) { os.Stderr = before }(os.Stderr) // where the SDK logs
	os.Stderr = logged
	code, _, stderr := ran(t, a, "get", "it")
	if text, err := os.ReadFile(logged.Name()); err != nil || code == 0 || len(text) > 0 || !strings.HasPrefix(stderr, "lambda-rollout: there are no AWS credentials") {
		t.Errorf("%v: %d, %s%s", err, code, text, stderr)
	}
}

func TestAnUnknownStateMachine(t *testing.T) {
	a := newAccount(t, `{}`, nil)
	const other = "arn:aws:states:eu-central-1:123456789012:stateMachine:Gone"
	for _, args := range [][]string{{"list"}, {"list", "--all", "-o", "json"}, {"start", "--no-check", "-f", a.write("rollout.json", blog)}} {
		r := a.run(append(args, "--state-machine", other)...)
		a.want(r, r.code, "there is no such state machine: check --state-machine, STATE_MACHINE_ARN, ", other)
		if r.code == 0 || strings.Contains(r.all(), "90 days") {
			t.Errorf("%d: %s", r.code, r.all())
		}
	}
}
