package localaws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// awsCLI runs commands of the AWS CLI against a served local AWS.
type awsCLI struct {
	program, endpoint, home string
}

// newAWSCLI returns the AWS CLI of this machine, for the local AWS.
func newAWSCLI(t *testing.T, s *Server) awsCLI {
	t.Helper()
	program, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed, so that it cannot be tried: see https://aws.amazon.com/cli/")
	}
	socket := httptest.NewServer(s)
	t.Cleanup(socket.Close)
	return awsCLI{program, socket.URL, t.TempDir()}
}

// run returns what a command prints, and what it says when it fails. Nothing of the user's own configuration reaches it.
func (c awsCLI) run(ctx context.Context, args ...string) (output, failure string) {
	cmd := exec.CommandContext(ctx, c.program, append([]string{"--endpoint-url", c.endpoint, "--output", "json"}, args...)...)
	cmd.Dir = c.home
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "AWS_CONFIG_FILE=" + filepath.Join(c.home, "config"),
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(c.home, "credentials"), "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Sprint(strings.TrimSpace(stderr.String()), " (", err, ")")
	}
	return stdout.String(), ""
}

// cliStep is a command with what it prints, as a field of its JSON, or says when it fails.
type cliStep struct {
	command []string
	field   string // a path in the output, as in "Versions.1.Version"; empty for the whole text
	want    string // that the field is, or that the text or the failure contains
	fails   bool
}

// follow runs the steps one after the other, and stops at the first that ends otherwise.
func (c awsCLI) follow(t *testing.T, steps []cliStep) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, step := range steps {
		name := strings.Join(step.command, " ")
		output, failure := c.run(ctx, step.command...)
		switch {
		case step.fails && !strings.Contains(failure, step.want):
			t.Errorf("aws %s: %q %s, want a failure with %q", name, output, failure, step.want)
		case step.fails:
			continue
		case failure != "":
			t.Errorf("aws %s: %s", name, failure)
		case step.field == "" && !strings.Contains(output, step.want):
			t.Errorf("aws %s prints %q, want %q", name, output, step.want)
		case step.field == "":
			continue
		default:
			if got, err := fieldOf(output, step.field); err != nil || got != step.want {
				t.Errorf("aws %s: %s is %q (%v), want %q", name, step.field, got, err, step.want)
			}
			continue
		}
		return
	}
}

// fieldOf returns a field of JSON, by a path of names and indices.
func fieldOf(output, path string) (string, error) {
	var value any
	if err := json.Unmarshal([]byte(output), &value); err != nil {
		return "", err
	}
	for step := range strings.SplitSeq(path, ".") {
		switch of := value.(type) {
		case map[string]any:
			value = of[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(of) {
				return "", errors.New("no item " + step)
			}
			value = of[i]
		}
	}
	return fmt.Sprint(value), nil
}

// TestTheAWSCLI has the real AWS CLI use the services whose APIs are not tried by rehearsals alone. Each of its starts costs
// most of a second, so that two series of commands run at once.
func TestTheAWSCLI(t *testing.T) {
	t.Parallel()
	s := New(Options{FunctionUpdates: time.Second})
	check(t, errors.Join(s.AddFunction("MyFunction", 1, 2), s.AddAlias("MyFunction", "MyAlias", "1", ""),
		s.AddRule(Rule{Name: "sweep", Schedule: "rate(15 minutes)"}),
		s.AppendLog("/aws/lambda/MyFunction", "2026/03/01/[1]abc", time.Now(), `{"level":"ERROR","step":3}`),
		s.AppendLog("/aws/lambda/MyFunction", "2026/03/01/[1]abc", time.Now(), `{"level":"INFO","step":4}`)))
	topic := addTopic(t, s, "news")
	cli := newAWSCLI(t, s)
	check(t, os.WriteFile(filepath.Join(cli.home, "new.zip"), archive("new"), 0o600))
	const arn = "arn:aws:lambda:eu-central-1:123456789012:function:MyFunction"
	words := func(line string) []string { return strings.Fields(line) }
	series := [][]cliStep{{
		{command: words("lambda update-function-code --function-name MyFunction --zip-file fileb://new.zip"), field: "LastUpdateStatus", want: "InProgress"},
		{command: words("lambda wait function-updated --function-name MyFunction")},
		{command: words("lambda publish-version --function-name MyFunction"), field: "Version", want: "3"},
		{command: append(words("lambda update-alias --function-name MyFunction --name MyAlias --routing-config"), `{"AdditionalVersionWeights":{"3":0.05}}`), field: "RoutingConfig.AdditionalVersionWeights.3", want: "0.05"},
		{command: words("lambda invoke --function-name MyFunction:MyAlias /dev/null"), field: "StatusCode", want: "200"},
		{command: words("lambda list-versions-by-function --function-name MyFunction"), field: "Versions.3.Version", want: "3"},
		{command: words("lambda tag-resource --tags lambda-rollout=enabled --resource " + arn)},
		{command: words("lambda get-function --function-name MyFunction"), field: "Tags.lambda-rollout", want: "enabled"},
		{command: words("lambda get-policy --function-name MyFunction"), fails: true, want: "UnknownOperationException) when calling the GetPolicy operation: the local AWS does not support the operation GetPolicy"},
	}, {
		{command: words("lambda create-function --function-name New --runtime cobol1 --handler a --zip-file fileb://new.zip --role " + someRole), fails: true, want: "Value cobol1 at 'runtime' failed to satisfy constraint"},
		{command: words("sts get-caller-identity"), field: "Arn", want: "arn:aws:iam::123456789012:user/local"},
		{command: words("sns list-topics"), field: "Topics.0.TopicArn", want: topic},
		{command: words("events list-rules"), field: "Rules.0.ScheduleExpression", want: "rate(15 minutes)"},
		{command: append(words("events put-events --entries"), `[{"Source":"s","DetailType":"d","Detail":"{}","EventBusName":"nowhere"}]`), field: "FailedEntryCount", want: "0"},
		{command: words("ssm put-parameter --name /rollout/steer --value hold --type String"), field: "Version", want: "1"},
		{command: append(words("logs filter-log-events --log-group-name /aws/lambda/MyFunction --filter-pattern"), `{ $.level = "ERROR" }`), field: "events.0.message", want: `{"level":"ERROR","step":3}`},
		{command: words("dynamodb list-tables"), fails: true, want: "the local AWS does not have Amazon DynamoDB: DynamoDB_20120810.ListTables cannot be answered"},
		{command: words("s3api list-buckets"), fails: true, want: "NotImplemented) when calling the ListBuckets operation: the local AWS does not have Amazon S3"},
	}}
	var all sync.WaitGroup
	for _, steps := range series {
		all.Go(func() { cli.follow(t, steps) })
	}
	all.Wait()
}
