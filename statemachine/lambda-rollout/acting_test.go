package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

var update = flag.Bool("update", false, "write what is seen into the golden files")

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// account is a served AWS, and the command's configuration for it: a profile and an
// endpoint in files, as users have them. Its time passes as the command waits.
type account struct {
	t      *testing.T
	served *rehearsal.ServedAWS
	folder string
	// answers, if it is set, may answer a request instead of the AWS; it returns whether it
	// did. operation is the last part of the request's X-Amz-Target, or its path.
	answers func(w http.ResponseWriter, operation string) bool
	// slept is called after each wait.
	slept func()
	study adviser
	stdin io.Reader // nil for an empty one
	mu    sync.Mutex
	calls map[string]int
}

// newAccount serves an AWS under a scenario until the test ends.
func newAccount(t *testing.T, scenario string, authorize localaws.Authorize) *account {
	t.Helper()
	base := servedtest.NewAt(t, scenario, noon, authorize)
	a := &account{t: t, served: base.ServedAWS, folder: t.TempDir(), calls: map[string]int{}}
	base.Answer(a.answer)
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "STATE_MACHINE_ARN", "RELEASE_STATE_MACHINE_ARN", "GITHUB_STEP_SUMMARY"} {
		t.Setenv(name, "")
	}
	a.write("config", "[profile local]\nregion = eu-central-1\nendpoint_url = "+base.URL+"\n")
	a.write("credentials", "[local]\naws_access_key_id = "+operator+"\naws_secret_access_key = local\n")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(a.folder, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(a.folder, "credentials"))
	t.Setenv("AWS_PROFILE", "local")
	t.Setenv("STATE_MACHINE_ARN", a.served.StateMachine())
	t.Setenv("AWS_MAX_ATTEMPTS", "1") // the SDK's own retries wait in real time
	return a
}

// operator is the principal of the command's calls.
const operator = "arn:aws:sts::123456789012:assumed-role/operator/me"

// answer counts a call, and may answer it.
func (a *account) answer(_ string, w http.ResponseWriter, r *http.Request) bool {
	operation := r.Method + " " + r.URL.Path
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		operation = target[strings.LastIndexByte(target, '.')+1:]
	}
	a.mu.Lock()
	a.calls[operation]++
	answers := a.answers
	a.mu.Unlock()
	return answers != nil && answers(w, operation)
}

// write writes a file, and returns its path.
func (a *account) write(name, text string) string {
	a.t.Helper()
	path := filepath.Join(a.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// advance lets time pass.
func (a *account) advance(d time.Duration) {
	a.t.Helper()
	if _, err := a.served.Advance(d); err != nil {
		a.t.Fatal(err)
	}
}

// inject makes calls fail.
func (a *account) inject(f localaws.Fault) *localaws.Injection {
	a.t.Helper()
	i, err := a.served.Inject(f)
	if err != nil {
		a.t.Fatal(err)
	}
	return i
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) all() string { return r.stdout + r.stderr }

// run runs the command, whose waits let virtual time pass.
func (a *account) run(args ...string) result {
	return a.runIn(context.Background(), 0, args...)
}

func (a *account) runIn(ctx context.Context, columns int, args ...string) result {
	var stdout, stderr bytes.Buffer
	c := &command{
		stdin: cmp.Or(a.stdin, io.Reader(strings.NewReader(""))), stdout: &stdout, stderr: &stderr, now: a.served.Now, columns: columns, study: a.study,
		sleep: func(ctx context.Context, d time.Duration) error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			_, err := a.served.Advance(d)
			if a.slept != nil {
				a.slept()
			}
			return err
		},
	}
	code := c.run(ctx, args)
	return result{code, stdout.String(), stderr.String()}
}

// want fails the test unless a command ended with a code, and said texts.
func (a *account) want(r result, code int, texts ...string) {
	a.t.Helper()
	if r.code != code {
		a.t.Errorf("exits with %d, want %d:\n%s%s", r.code, code, r.stdout, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.all(), text) {
			a.t.Errorf("%q is not in\n%s%s", text, r.stdout, r.stderr)
		}
	}
}

// alias returns the alias of the rollouts.
func (a *account) alias() *lambda.GetAliasOutput {
	a.t.Helper()
	out, err := a.lambda().GetAlias(context.Background(), &lambda.GetAliasInput{FunctionName: aws.String("MyFunction"), Name: aws.String("MyAlias")})
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// lambda returns a client with all permissions.
func (a *account) lambda() *lambda.Client {
	a.t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		a.t.Fatal(err)
	}
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
	})
	return lambda.NewFromConfig(cfg)
}

// golden compares text with a file in testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s is not as in the golden file (run the test with -update to accept it):\n%s", name, diff)
	}
}

const blog = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 5, "interval": 120, "type": "linear"}`

// executions returns the names of all executions.
func (a *account) executions() []string {
	a.t.Helper()
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := sfn.NewFromConfig(cfg).ListExecutions(context.Background(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(a.served.StateMachine())})
	if err != nil {
		a.t.Fatal(err)
	}
	var names []string
	for _, e := range out.Executions {
		names = append(names, *e.Name)
	}
	return names
}
