package runtimeapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/runtimeapi"
)

// What the test's executable does if it does not run tests.
const (
	roleVariable = "ROLE"
	serves       = "serves"       // it is a function
	refuses      = "refuses"      // it says that it can't start
	exits        = "exits"        // it can't start, and says nothing
	observes     = "observes"     // it answers with what it observes of the Runtime API
	isATester    = "is a tester " // it starts a function that calls the address behind this, and waits
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	switch {
	case role == serves:
		runtime.Start(serve)
	case role == refuses:
		refuse()
	case role == observes:
		observe()
	case role == exits:
		os.Exit(3)
	case strings.HasPrefix(role, isATester):
		testUntilKilled(strings.TrimPrefix(role, isATester))
	default:
		os.Exit(m.Run())
	}
}

// MyError is an error with a name.
type MyError struct{ error }

// serve does what its input asks for.
func serve(ctx context.Context, order string) (any, error) {
	word, rest, _ := strings.Cut(order, " ")
	switch word {
	case "invocation":
		c, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return []string{c.AwsRequestID, c.InvokedFunctionArn, lambdacontext.FunctionName, deadline.Format(time.RFC3339Nano)}, nil
	case "environment":
		return os.Environ(), nil
	case "repeat":
		n, err := strconv.Atoi(rest)
		return strings.Repeat("x", n), err
	case "fail":
		return nil, MyError{errors.New(rest)}
	case "panic":
		panic(errors.New(rest))
	case "exit":
		fmt.Println("last words")
		os.Exit(len(rest))
	case "hang":
		time.Sleep(time.Minute)
	case "call":
		connection, err := net.Dial("tcp", rest)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, connection) // for as long as it is open
		return nil, err
	}
	return order, nil
}

func refuse() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	response, err := http.Post(url, "application/json", strings.NewReader(`{"errorType": "NoConfig", "errorMessage": "there is none"}`))
	if err != nil || response.StatusCode != http.StatusAccepted {
		panic(fmt.Sprint(response, err))
	}
	os.Exit(1)
}

func testUntilKilled(address string) {
	function, err := runtimeapi.Start(function(serves))
	if err != nil {
		panic(err)
	}
	_, err = function.Invoke(order("call " + address))
	panic(err)
}

const arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"

// function returns a function whose executable is this test's.
func function(role string) runtimeapi.Function {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return runtimeapi.Function{
		ARN: arn, Executable: executable, Timeout: time.Minute,
		Environment: map[string]string{roleVariable: role},
	}
}

func start(t *testing.T, f runtimeapi.Function) *runtimeapi.Instance {
	t.Helper()
	instance, err := runtimeapi.Start(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(instance.Stop)
	return instance
}

func order(words string) json.RawMessage {
	text, err := json.Marshal(words)
	if err != nil {
		panic(err)
	}
	return text
}

// TestAFunctionSeesWhatLambdaGives checks a function's environment: Lambda's variables, and none of the test's.
func TestAFunctionSeesWhatLambdaGives(t *testing.T) {
	t.Setenv("AWS_PROFILE", "the-testers-own")
	instance := start(t, function(serves))
	for n := 1; n <= 2; n++ {
		earliest := time.Now().Add(time.Minute).Truncate(time.Millisecond)
		answer, err := instance.Invoke(order("invocation"))
		latest := time.Now().Add(time.Minute)
		var seen [4]string
		if err := errors.Join(err, json.Unmarshal(answer, &seen)); err != nil {
			t.Fatal(err)
		}
		want := [4]string{fmt.Sprintf("00000000-0000-4000-8000-%012d", n), arn, "f", seen[3]}
		if deadline, err := time.Parse(time.RFC3339Nano, seen[3]); seen != want || err != nil || deadline.Before(earliest) || deadline.After(latest) {
			t.Errorf("saw %q, not %q with a time from %s to %s", seen, want, earliest, latest)
		}
	}
	answer, err := instance.Invoke(order("environment"))
	var variables []string
	if err := errors.Join(err, json.Unmarshal(answer, &variables)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"AWS_REGION=eu-central-1", "AWS_LAMBDA_FUNCTION_NAME=f", "ROLE=serves"} {
		if !slices.Contains(variables, want) {
			t.Errorf("there is no %s in %q", want, variables)
		}
	}
	for _, variable := range variables {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_") && name != "AWS_PROFILE" || slices.Contains([]string{"_HANDLER", "LANG", "TZ", "ROLE", "_X_AMZN_TRACE_ID"}, name) {
			continue
		}
		t.Errorf("it sees %s", variable)
	}
}
