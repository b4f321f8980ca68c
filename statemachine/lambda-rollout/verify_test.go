package main

import (
	"bytes"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/teststate"
	"github.com/lambda-rollout/lambda-rollout/statemachine/verify"
)

// testStates is an account in which only states can be tested. wrong changes an answer.
type testStates struct{ wrong func(*sfn.TestStateOutput) }

func (testStates) Executions(string) (iter.Seq[localaws.Execution], bool) { return nil, false }

func (testStates) Execution(string) (localaws.Execution, bool) { return localaws.Execution{}, false }

func (s testStates) TestState(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
	out, err := teststate.Run(in, time.Now())
	if err == nil && s.wrong != nil {
		s.wrong(out)
	}
	return out, err
}

// TestVerify runs the command with the SDK's configuration from the environment,
// which leads to a local AWS.
func TestVerify(t *testing.T) {
	right := testStates{}
	wrong := testStates{func(out *sfn.TestStateOutput) {
		if aws.ToString(out.NextState) == "Rolled back" {
			out.NextState = aws.String("Promoted")
		}
	}}
	for _, c := range []struct {
		name           string
		states         testStates
		deny           bool
		args           []string
		code           int
		stdout, stderr string // a part of each
	}{
		{"AWS agrees", right, false, []string{"--aws"}, 0, " cases agree.\n", ""},
		{"AWS differs", wrong, false, []string{"--aws", "--role", "arn:aws:iam::123456789012:role/r"}, 1, "next state on AWS: Promoted\n  next state here:   Rolled back\n", ""},
		{"AWS denies", right, true, []string{"--aws"}, 2, "", "states:TestState"},
		{"without --aws", right, false, nil, 2, "", "add --aws"},
		{"without a region", right, false, []string{"--aws", "--region", ""}, 2, "", "there is no Region"},
		{"another argument", right, false, []string{"--aws", "now"}, 2, "", `"now" is not an option`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := localaws.Options{Account: "123456789012", Region: "us-east-1", Now: time.Now, Sleep: time.Sleep, Executions: c.states}
			if c.deny {
				o.Authorize = func(principal, action, resource string, _ map[string][]string) error {
					return http.ErrNotSupported
				}
			}
			socket := httptest.NewServer(localaws.New(o))
			defer socket.Close()
			for name, value := range map[string]string{
				"AWS_ENDPOINT_URL": socket.URL, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
				"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "", "AWS_DEFAULT_REGION": "", "AWS_EC2_METADATA_DISABLED": "true",
			} {
				if strings.HasSuffix(name, "REGION") && c.name == "without a region" {
					value = ""
				}
				t.Setenv(name, value)
			}
			var out, err bytes.Buffer
			typed := &command{stdout: &out, stderr: &err, now: time.Now, tester: func(cfg aws.Config) verify.Tester { return sfn.NewFromConfig(cfg, localaws.NoHostPrefix) }}
			code := typed.run(t.Context(), append([]string{"verify"}, c.args...))
			if code != c.code || !strings.Contains(out.String(), c.stdout) || !strings.Contains(err.String(), c.stderr) || c.stdout == "" && out.Len() > 0 {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, c.code, out.String(), err.String())
			}
		})
	}
	for region, want := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eu-central-1": "aws"} {
		if got := partition(region); got != want {
			t.Errorf("%s is in %s, want %s", region, got, want)
		}
	}
}
