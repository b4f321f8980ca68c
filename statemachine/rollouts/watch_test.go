package rollouts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// watching returns a watch whose time passes between its looks.
func watching(a *servedtest.AWS, c *rollouts.Client, step time.Duration) *rollouts.Watch {
	return &rollouts.Watch{
		Name: "it", Interval: step, Now: a.Now, Connect: func(ctxOf) (*rollouts.Client, error) { return c, nil },
		Wait: func(_ ctxOf, d time.Duration) error { a.Advance(d); return nil },
	}
}

// followed runs a watch, and returns how it ended, the step that its first look found, and all
// events.
func followed(w *rollouts.Watch) (end *rollouts.Rollout, first int, seen []rollouts.Event, err error) {
	first = -1
	end, err = w.Run(context.Background(), func(r *rollouts.Rollout, events []rollouts.Event) {
		if first < 0 {
			first = r.Step
		}
		seen = append(seen, events...)
	})
	return end, first, seen, err
}

func kindsOf(events []rollouts.Event) string {
	kinds := make([]string, len(events))
	for i, e := range events {
		kinds[i] = e.Kind
	}
	return strings.Join(kinds, " ")
}

// TestWatch follows a rollout from its beginning to its end.
func TestWatch(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Begin("it", input(`, "approval": {"before-weights": [0.6]}`))
	a.Advance(10 * time.Second) // so that no look is at the time of a check
	var lines []string
	w := watching(a, clientOf(t, a), 20*time.Second)
	ordered := false
	end, err := w.Run(t.Context(), func(r *rollouts.Rollout, events []rollouts.Event) {
		if len(lines) == 0 {
			lines = append(lines, r.Line())
		}
		for _, e := range events {
			lines = append(lines, e.String())
		}
		if r.Approval != nil && !ordered {
			ordered = true
			a.Order(rollout.ControlParameter("it"), "approve")
		}
	})
	if err != nil || end.Outcome != rollouts.Promoted {
		t.Fatal(end, err)
	}
	golden(t, "watch", strings.Join(lines, "\n")+"\n")
}

// TestWatchMissesNothing follows rollouts that go on while they are read, between any two calls.
func TestWatchMissesNothing(t *testing.T) {
	for passes := 95 * time.Second; passes < 2*time.Minute; passes += 10 * time.Second {
		a := servedtest.New(t, `{}`)
		a.Begin("it", `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 40, "interval": 60}`)
		a.Advance(time.Minute)
		w := watching(a, clientOf(t, a), 10*time.Second)
		a.Answer(func(string, http.ResponseWriter, *http.Request) bool { a.Advance(passes); return false })
		end, first, seen, err := followed(w)
		if err != nil || end.Outcome != rollouts.Promoted {
			t.Fatal(end, err)
		}
		if shifts := strings.Count(kindsOf(seen), "shift"); shifts != end.Step-first || seen[len(seen)-1].Kind != "end" {
			t.Errorf("with %s between two calls, %d shifts are shown, of %d after step %d: %s", passes, shifts, end.Step, first, kindsOf(seen))
		}
	}
}

// checkOrder checks that steps follow each other, and that all events are in the order of their
// times.
func checkOrder(t *testing.T, seen []rollouts.Event) {
	t.Helper()
	last := 0
	for i, e := range seen {
		if i > 0 && e.At.Before(seen[i-1].At) {
			t.Errorf("%q is shown before %q", seen[i-1], e)
		}
		if e.Kind != "shift" {
			continue
		}
		var step int
		if _, err := fmt.Sscanf(e.Text, "step %d of", &step); err != nil || last > 0 && step != last+1 {
			t.Errorf("after step %d comes %q, %v", last, e, err)
		}
		last = step
	}
}

// TestWatchFollowsParts follows a rollout that has continued in another execution, where it is
// promoted or rolled back.
func TestWatchFollowsParts(t *testing.T) {
	const steps = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "steps": 100, "interval": 900, "check-interval": 60}`
	for name, scenario := range map[string]string{
		"promoted while it is read": `{"requests-per-second": 0.5}`,
		"rolled back":               `{"requests-per-second": 0.5, "changes": [{"after": 86000, "new-version": {"error-rate": 0.5}}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := servedtest.New(t, scenario)
			a.Begin("it", steps)
			a.Advance(85000 * time.Second) // in step 95
			looks := 0
			a.Answer(func(action string, _ http.ResponseWriter, _ *http.Request) bool {
				if looks == 2 && name != "rolled back" && action == "states:DescribeExecution" {
					looks++
					a.Advance(100 * time.Minute)
				}
				return false
			})
			w := watching(a, clientOf(t, a), 4*time.Minute)
			wait := w.Wait
			w.Wait = func(ctx ctxOf, d time.Duration) error { looks++; return wait(ctx, d) }
			end, first, seen, err := followed(w)
			if err != nil {
				t.Fatal(err)
			}
			if shifts := strings.Count(kindsOf(seen), "shift"); shifts != end.Step-first || first != 95 {
				t.Errorf("%d shifts are shown, of %d after step %d", shifts, end.Step, first)
			}
			checkOrder(t, seen)
		})
	}
}

// TestWatchIsRedriven follows a rollout that is redriven while its end is read.
func TestWatchIsRedriven(t *testing.T) {
	a := servedtest.New(t, `{}`)
	execution := a.Begin("it", input(""))
	a.Advance(150 * time.Second)
	stopped, described, redriven := false, false, false
	a.Answer(func(action string, _ http.ResponseWriter, _ *http.Request) bool {
		switch {
		case stopped && action == "states:DescribeExecution":
			described = true
		case described && action == "lambda:GetAlias" && !redriven: // the last call
			redriven = true
			if _, err := sfn.NewFromConfig(a.Config).RedriveExecution(t.Context(), &sfn.RedriveExecutionInput{ExecutionArn: &execution}); err != nil {
				t.Error(err)
			}
			a.Advance(3 * time.Minute)
		}
		return false
	})
	w := watching(a, clientOf(t, a), 10*time.Second)
	var seen []rollouts.Event
	end, err := w.Run(t.Context(), func(_ *rollouts.Rollout, events []rollouts.Event) {
		if seen = append(seen, events...); !stopped && len(seen) > 0 {
			stopped = true
			a.Stop(execution, "", "")
			a.Advance(time.Minute)
		}
	})
	if err != nil || end.Outcome != rollouts.RolledBack || !strings.HasSuffix(kindsOf(seen), "redrive end") {
		t.Fatalf("it ends %s, %v, after %s", end.Outcome, err, kindsOf(seen))
	}
	checkOrder(t, seen)
}

// TestWatchGoesOn follows a rollout while AWS can't be reached, refuses the credentials,
// and has too many calls.
func TestWatchGoesOn(t *testing.T) {
	a := servedtest.New(t, `{"changes": [{"after": 300, "new-version": {"error-rate": 0.3}}]}`)
	a.Begin("it", input(""))
	trouble := map[int]func(w http.ResponseWriter){
		2: func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		3: func(w http.ResponseWriter) {
			servedtest.Refuse(w, 400, "ExpiredTokenException", "The security token included in the request is expired")
		},
		5: func(w http.ResponseWriter) { servedtest.Refuse(w, 400, "ThrottlingException", "Rate exceeded") },
		7: func(w http.ResponseWriter) { servedtest.Refuse(w, 503, "ServiceUnavailable", "\x1b[2Jlater") },
	}
	looks, connected := 0, 0
	a.Answer(func(action string, w http.ResponseWriter, _ *http.Request) bool {
		answer := trouble[looks]
		if answer == nil {
			return false
		}
		answer(w)
		return true
	})
	c := clientOf(t, a)
	w := watching(a, c, 30*time.Second)
	w.Connect = func(ctxOf) (*rollouts.Client, error) { connected++; return c, nil }
	wait := w.Wait
	w.Wait = func(ctx ctxOf, d time.Duration) error { looks++; return wait(ctx, d) }
	end, first, seen, err := followed(w)
	if err != nil || end.Outcome != rollouts.RolledBack {
		t.Fatal(end, err)
	}
	var lines []string
	for _, e := range seen {
		lines = append(lines, e.String())
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"AWS can't be reached", "credentials", "too many calls", "AWS does not answer"} {
		if want == "credentials" {
			continue // the connection was lost already
		}
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	if strings.Count(text, "answers again") != 3 || connected != 2 || strings.Contains(text, "\x1b") {
		t.Errorf("connected %d times, and said\n%s", connected, text)
	}
	if shifts := strings.Count(kindsOf(seen), "shift"); shifts != end.Step-first {
		t.Errorf("%d shifts are shown, of %d", shifts, end.Step)
	}
}

// TestWatchGivesUp ends where waiting does not help: with another name, without
// permission, and before the first look.
func TestWatchGivesUp(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Begin("it", input(""))
	a.Advance(time.Minute)
	c := clientOf(t, a)
	run := func(name string, from int, code string) error {
		looks := 0
		a.Answer(func(_ string, w http.ResponseWriter, _ *http.Request) bool {
			if looks < from {
				return false
			}
			servedtest.Refuse(w, 400, code, "User: arn:aws:iam::123456789012:user/me is not authorized to perform: states:GetExecutionHistory on resource: it because no identity-based policy allows it")
			return true
		})
		w := watching(a, c, time.Second)
		w.Name = name
		w.Wait = func(ctxOf, time.Duration) error { looks++; return nil }
		_, err := w.Run(t.Context(), func(*rollouts.Rollout, []rollouts.Event) {})
		return err
	}
	for _, g := range []struct {
		name string
		from int
		code string
		want rollouts.Trouble
		says string
	}{
		{"it", 0, "ExpiredTokenException", rollouts.Credentials, "credentials"},
		{"it", 3, "AccessDeniedException", rollouts.Denied, "don't allow states:GetExecutionHistory"},
		{"it", 3, "SomethingElse", rollouts.Unexpected, "SomethingElse"},
		{"another", 9, "", rollouts.NotFound, "there is no rollout another"},
	} {
		err := run(g.name, g.from, g.code)
		var failure *rollouts.Failure
		if !errors.As(err, &failure) || failure.Trouble != g.want || !strings.Contains(err.Error(), g.says) {
			t.Errorf("%s of %s: %v, want %q", g.code, g.name, err, g.says)
		}
	}
}
