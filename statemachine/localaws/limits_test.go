package localaws

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"
)

// uses returns how the limits with calls were used, as texts.
func uses(w *world) (all []string) {
	for _, use := range w.LimitUses() {
		if use.Calls > 0 {
			all = append(all, fmt.Sprintf("%s: %d calls, %d throttled, at most %d a second", use.Name, use.Calls, use.Throttled, use.Most))
		}
	}
	return all
}

// TestLimits makes calls at once, and more as tokens come back.
func TestLimits(t *testing.T) {
	w := newWorld(t, Options{Limits: AWSLimits()})
	w.createFunction(t, "shop", 2)
	check(t, w.AddAlias("shop", "live", "1", ""))
	throttled := func(calls int, call func(i int) error) (n int) {
		for i := range calls {
			if code, status := outcome(call(i)); code != "" {
				n++
				if status != 429 && code != "ThrottlingException" {
					t.Fatalf("a call ends as %d %s", status, code)
				}
			}
		}
		return n
	}
	either := func(i int) error { // both take from the same bucket
		if i%2 == 0 {
			_, err := w.shift(t.Context(), "2", 0.5)
			return err
		}
		_, err := w.lambda.GetAlias(t.Context(), &lambda.GetAliasInput{FunctionName: aws.String("shop"), Name: aws.String("live")})
		return err
	}
	w.clock.Sleep(time.Second) // for what creating the function took
	for i, step := range []struct {
		wait  time.Duration
		calls int
		want  int
	}{
		{0, 20, 5},
		{0, 1, 1},
		{200 * time.Millisecond, 4, 1}, // three tokens have come back
		{time.Hour, 15, 0},             // and no more than the bucket holds
		{0, 1, 1},
	} {
		w.clock.Sleep(step.wait)
		if got := throttled(step.calls, either); got != step.want {
			t.Errorf("step %d: %d of %d calls are throttled, not %d", i, got, step.calls, step.want)
		}
	}
	if got := throttled(30, func(int) error {
		_, err := w.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("shop")})
		return err
	}); got != 0 {
		t.Errorf("%d calls of GetFunction are throttled, which has a bucket of its own", got)
	}
	if got := throttled(101, func(int) error {
		_, err := w.sfn.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(machineARN)})
		return err
	}); got != 1 {
		t.Errorf("%d of 101 calls of ListExecutions are throttled", got)
	}
	if calls := w.LimitedCalls(); calls["ListExecutions"] != 101 || calls["GetFunction"] != 30 {
		t.Errorf("the calls are counted as %v", calls)
	}
}

// TestLimitsAreReported has calls in different seconds, and one that is not AWS's to count.
func TestLimitsAreReported(t *testing.T) {
	w := newWorld(t, Options{Limits: []Limit{
		{Name: "reads", Service: "ssm", Operations: []string{"GetParameter"}, Bucket: 2, Refill: 1},
		{Name: "watched", Service: "ssm", Operations: []string{"PutParameter"}, Bucket: 1, Refill: 1, Watched: true},
	}})
	client := ssm.NewFromConfig(w.Config())
	read := func() { _, _ = client.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/a")}) }
	w.inject(t, Fault{Operation: "GetParameter", Kind: CutBefore, Count: 1})
	read() // never reaches AWS
	for range 3 {
		read()
		w.clock.Sleep(400 * time.Millisecond)
	}
	for range 2 {
		if _, err := client.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/a"), Value: aws.String("1"), Type: "String", Overwrite: aws.Bool(true)}); err != nil {
			t.Errorf("a limit that is only watched throttles: %v", err)
		}
	}
	want := "[reads: 3 calls, 1 throttled, at most 3 a second watched: 2 calls, 1 throttled, at most 2 a second]"
	if got := fmt.Sprint(uses(w)); got != want {
		t.Errorf("the limits were used as\n%s, not\n%s", got, want)
	}
	if none := newWorld(t, Options{}); none.LimitUses() != nil || none.LimitedCalls() != nil {
		t.Error("without limits, calls are counted")
	}
}

// TestRetryingTakesVirtualTime has a client that gets through a limit by retries.
func TestRetryingTakesVirtualTime(t *testing.T) {
	took := func(seed uint64, attempts int) (time.Duration, error) {
		w := newWorld(t, Options{Seed: seed, Limits: []Limit{{Name: "reads", Service: "lambda", Bucket: 20, Refill: 0.5}}})
		w.clock.Sleep(time.Minute)
		began, real := w.clock.Now(), time.Now()
		client := lambda.NewFromConfig(w.Retrying(w.Config(), attempts))
		var last error
		for range 23 {
			_, last = client.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
		}
		if waited := time.Since(real); waited > 500*time.Millisecond {
			t.Errorf("the retries took %v of real time", waited)
		}
		return w.clock.Now().Sub(began), last
	}
	first, err := took(1, 10)
	if err != nil || first < 6*time.Second {
		t.Errorf("three calls above the bucket, at 0.5 a second, took %v: %v", first, err)
	}
	if again, _ := took(1, 10); again != first {
		t.Errorf("with the same seed the calls take %v and %v", first, again)
	}
	if _, err := took(1, 1); err == nil {
		t.Error("a client that does not retry is not throttled")
	}
}

// TestThePageHasTheLimits compares the figures in the documentation with AWSLimits.
func TestThePageHasTheLimits(t *testing.T) {
	text, err := os.ReadFile("../../docs/local-aws.md")
	check(t, err)
	_, part, _ := strings.Cut(string(text), "\n## Limits\n")
	var rows [][2]string
	for line := range strings.SplitSeq(part, "\n") {
		if cells := strings.Split(line, " | "); len(cells) == 4 && strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| limit") && !strings.HasPrefix(line, "| ---") {
			rows = append(rows, [2]string{cells[1], cells[2]})
		}
	}
	var want [][2]string
	for _, limit := range AWSLimits() {
		want = append(want, [2]string{fmt.Sprint(limit.Bucket), fmt.Sprint(limit.Refill)})
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("docs/local-aws.md has other limits (-code +page):\n%s", diff)
	}
}
