package rollouts_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// textOf returns a rollout on one screen, as Get reads it.
func textOf(t *testing.T, a *servedtest.AWS, name string) (*rollouts.Rollout, string) {
	t.Helper()
	r, err := clientOf(t, a).Get(t.Context(), name, a.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r, strings.Join(append(r.Text(a.Now()).Lines(0, false), r.Explain(a.Now()).Text().Lines(0, false)...), "\n")
}

// TestAPendingOrder is shown until a check has read it.
func TestAPendingOrder(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Order("/lambda-rollout/it", "promote") // of an earlier rollout with that name
	a.Advance(time.Minute)
	a.Begin("it", input(""))
	a.Advance(90 * time.Second)
	if r, text := textOf(t, a, "it"); r.Pending != nil || strings.Contains(text, "new order") {
		t.Errorf("without an order: %s", text)
	}
	a.Order("/lambda-rollout/it", " Hold\n")
	a.Advance(20 * time.Second)
	r, text := textOf(t, a, "it")
	if p := r.Pending; p == nil || p.Command != rollout.PauseNow || p.Unknown || p.Number != 2 || a.Now().Sub(p.At) != 20*time.Second {
		t.Errorf("the pending order is %+v", p)
	}
	for _, want := range []string{
		"the order to pause, given 20 s ago, is not read yet; the next check is at 2026-", ", the order to pause was given, and no check has read it.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	a.Advance(time.Minute)
	if r, text = textOf(t, a, "it"); r.Pending != nil || r.Pause == nil || strings.Contains(text, "not read yet") {
		t.Errorf("after the check: %+v in %s", r.Pending, text)
	}
	a.Order("/lambda-rollout/it", "go\x1b[2J on")
	if r, text = textOf(t, a, "it"); r.Pending == nil || !r.Pending.Unknown || !strings.Contains(text, `the unknown order "go`) || strings.ContainsRune(text, '\x1b') {
		t.Errorf("an unknown order is %+v in %q", r.Pending, text)
	}
	a.Stop(r.Execution, "", "")
	a.Advance(time.Minute)
	if _, text = textOf(t, a, "it"); !strings.Contains(text, ", and no check has read it") || strings.Contains(text, "not read yet") {
		t.Errorf("an order that the end overtook is not in\n%s", text)
	}
}

// TestAWatchShowsAPendingOrder also while nothing else happens, and where it can't be read.
func TestAWatchShowsAPendingOrder(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Begin("it", input(""))
	a.Advance(70 * time.Second)
	w := watching(a, clientOf(t, a), 5*time.Second)
	w.Orders = true
	looks, unread := 0, false
	var all []string
	refused := 0 // reads of the reasons: the first one
	a.Answer(func(action string, w http.ResponseWriter, _ *http.Request) bool {
		if action != "ssm:GetParameterHistory" || looks > 1 {
			return false
		}
		refused++
		servedtest.Refuse(w, 400, "AccessDeniedException", "not authorized to perform: ssm:GetParameterHistory")
		return true
	})
	wait := w.Wait
	w.Wait = func(ctx ctxOf, d time.Duration) error {
		switch looks++; looks {
		case 1:
			if _, err := ssm.NewFromConfig(a.Config).PutParameter(ctx, &ssm.PutParameterInput{
				Name: aws.String("/lambda-rollout/it"), Value: aws.String("pause"), Description: aws.String("the queue grows"), Type: types.ParameterTypeString,
			}); err != nil {
				t.Error(err)
			}
		case 3:
			a.Answer(func(action string, w http.ResponseWriter, _ *http.Request) bool {
				if action == "ssm:GetParameter" {
					servedtest.Refuse(w, 400, "AccessDeniedException", "not authorized to perform: ssm:GetParameter")
				}
				return action == "ssm:GetParameter"
			})
		case 20:
			return errEnough
		}
		return wait(ctx, d)
	}
	_, err := w.Run(t.Context(), func(r *rollouts.Rollout, events []rollouts.Event) {
		if p := r.Pending; p != nil && (p.Reason == "the queue grows") != (looks > 1) {
			t.Errorf("after look %d, the reason given is %q", looks, p.Reason)
		}
		for _, e := range events {
			if e.Kind == "order" {
				all = append(all, e.Text)
			}
		}
		unread = unread || strings.Contains(r.OrdersUnread, "don't allow ssm:GetParameter")
	})
	const why = "; why it was given is not known: "
	if !errors.Is(err, errEnough) || !unread || refused != 1 || len(all) != 2 || !strings.Contains(all[0], why) || !strings.HasPrefix(all[0], "the order to pause was given; no check has read it, the next one is at ") || !strings.Contains(all[1], "pause by ") {
		t.Errorf("shown is %q, unread is %v; %v", all, unread, err)
	}
}
