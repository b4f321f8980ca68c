package rollouts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Sleep waits; it returns ctx's error early if ctx is done.
type Sleep func(ctx context.Context, d time.Duration) error

// NewName returns the name of an execution that starts at a time: at most 80 characters.
func NewName(function, alias string, at time.Time) string {
	return fmt.Sprintf("%.40s-%.20s-%s", arn.Name(function), alias, at.UTC().Format("20060102T150405Z"))
}

// nameForm matches the names of executions that the console and Parameter Store take.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,80}$`)

// CheckName returns an error for a text that a rollout should not be named.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q can't be a rollout's name: use 1 to 80 of A-Z a-z 0-9 _ . -", name)
	}
	return nil
}

// ErrNotFollowed means that an execution has the wanted name and another input.
var ErrNotFollowed = errors.New("an execution has that name and another input")

// Started is an execution that Start started or found.
type Started struct {
	ARN  string
	Name string
	// Before means that an execution with the same name and input existed before the first call.
	Before bool
	// At is when the execution started; zero if AWS did not say.
	At time.Time
}

// Start starts a rollout. It may be repeated with the same name and input, so that a lost
// answer starts nothing twice: an execution that has them is returned, whether it runs or
// has ended. The error is ErrNotFollowed if one has the name and another input.
func (c *Client) Start(ctx context.Context, name string, input []byte, sleep Sleep) (Started, error) {
	execution, err := c.ExecutionARN(name)
	if err != nil {
		return Started{}, err
	}
	started := Started{ARN: execution, Name: name}
	text := string(input)
	for try := 1; ; try++ {
		out, err := c.States.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &c.Machine, Name: &name, Input: &text})
		var exists *sfntypes.ExecutionAlreadyExists
		switch {
		case err == nil: // AWS starts nothing again while an execution with the name and the input runs
			started.At = aws.ToTime(out.StartDate)
			return started, nil
		case errors.As(err, &exists):
			started.Before = try == 1
			started.At, err = c.sameInput(ctx, execution, input)
			return started, err
		}
		if err := again(ctx, sleep, try, err); err != nil {
			return started, err
		}
	}
}

// sameInput returns when an execution started, and ErrNotFollowed if it has another input.
func (c *Client) sameInput(ctx context.Context, execution string, input []byte) (time.Time, error) {
	out, err := c.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &execution})
	if err != nil {
		return time.Time{}, err
	}
	var before, now any
	if json.Unmarshal([]byte(aws.ToString(out.Input)), &before) != nil || json.Unmarshal(input, &now) != nil || !reflect.DeepEqual(before, now) {
		return time.Time{}, fmt.Errorf("%w: %s", ErrNotFollowed, execution)
	}
	return aws.ToTime(out.StartDate), nil
}

// readTries is how often a call that may succeed later is tried, with pauses between, beside
// the SDK's own retries.
const readTries = 5

// passing reports whether a call may succeed later.
func passing(err error) bool {
	switch awserror.Of(err) {
	case awserror.Throttled, awserror.Unavailable, awserror.Intercepted:
		return !errors.Is(err, context.Canceled)
	}
	return false
}

// again waits before a call is made again that has failed for the try-th time. It returns the
// call's error if that would not help, and ctx's if ctx is done.
func again(ctx context.Context, sleep Sleep, try int, err error) error {
	if try >= readTries || !passing(err) {
		return err
	}
	return sleep(ctx, pause(try))
}

// pause returns how long to wait after that many tries.
func pause(try int) time.Duration { return min(time.Duration(try)*2*time.Second, 15*time.Second) }

// The times of publishing. A version with SnapStart takes minutes.
const (
	publishPoll  = 2 * time.Second
	publishLimit = 15 * time.Minute
)

// Publish publishes the function's latest code, and returns the version's number when it is
// Active. codeSHA256 is the hash of the code, as AWS returned it for the upload: then no
// other code is published; "" for any. If nothing has changed since the last version, AWS
// returns that one, so it may be repeated.
func (c *Client) Publish(ctx context.Context, function, codeSHA256 string, sleep Sleep) (string, error) {
	waited := time.Duration(0) // for both, the function and the version
	ready := func(version *string) error {
		for {
			updated, err := c.updated(ctx, function, version)
			if err != nil || updated {
				return err
			}
			if waited += publishPoll; waited > publishLimit {
				return fmt.Errorf("%s is not ready after %v: see its state with aws lambda get-function", function, publishLimit)
			}
			if err := sleep(ctx, publishPoll); err != nil {
				return err
			}
		}
	}
	if err := ready(nil); err != nil {
		return "", err
	}
	in := &lambda.PublishVersionInput{FunctionName: &function}
	if codeSHA256 != "" {
		in.CodeSha256 = &codeSHA256
	}
	out, err := c.Lambda.PublishVersion(ctx, in)
	if err == nil {
		err = awserror.Hollow(out.Version)
	}
	if err != nil {
		return "", err
	}
	return *out.Version, ready(out.Version)
}

// updated reports whether a function, or a version of it, is Active and its last update has
// succeeded.
func (c *Client) updated(ctx context.Context, function string, version *string) (bool, error) {
	out, err := c.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function, Qualifier: version})
	if err != nil {
		return false, err
	}
	what := function
	if version != nil {
		what = "version " + *version + " of " + function
	}
	switch {
	case out.LastUpdateStatus == types.LastUpdateStatusFailed:
		return false, fmt.Errorf("the last update of %s has failed (%s): update it again", what, rollout.OneLine(aws.ToString(out.LastUpdateStatusReason)))
	case out.State == types.StateFailed:
		return false, fmt.Errorf("%s is Failed (%s): update the function, and publish again", what, rollout.OneLine(aws.ToString(out.StateReason)))
	case version == nil: // an Inactive function can be published
		return out.LastUpdateStatus != types.LastUpdateStatusInProgress, nil
	}
	return out.LastUpdateStatus != types.LastUpdateStatusInProgress && out.State != types.StatePending, nil
}

// Stop stops an execution. It is not a rollback by the workflow: the stack's cleanup puts
// the alias back. The cause is for people to read. IsNotFound is true for
// the error if there is no such execution.
func (c *Client) Stop(ctx context.Context, execution, name, cause string) error {
	in := &sfn.StopExecutionInput{ExecutionArn: &execution, Error: &name}
	if cause = strings.TrimSpace(cause); cause != "" {
		in.Cause = &cause
	}
	_, err := c.States.StopExecution(ctx, in)
	if err != nil && TroubleOf(err) == NotFound {
		return inWords(err, "states:StopExecution", c.titled(nameOf(execution)))
	}
	return err
}
