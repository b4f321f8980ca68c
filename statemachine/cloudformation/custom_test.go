package cloudformation_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

func TestARequestWithoutAnswerFailsAfterAnHour(t *testing.T) {
	for timeout, want := range map[any]string{nil: "1h1m0s", "1800": "31m0s"} {
		w := newWorld(t, nil)
		w.answer = func(n int, _ request) map[string]any {
			if n == 2 {
				return nil
			}
			return map[string]any{}
		}
		w.run(func() {
			var changes []func(map[string]cloudformation.Resource)
			if timeout != nil {
				changes = append(changes, with("Rollout", "ServiceTimeout", timeout))
			}
			s, events := w.updated(changes...)
			if failed := want + " Rollout UPDATE_FAILED: CloudFormation did not receive a response"; !strings.Contains(events, failed) || s.Status() != types.StackStatusUpdateRollbackComplete {
				t.Errorf("no %q in\n%s", failed, events)
			}
		})
	}
}

func TestEventsAreDeliveredAgain(t *testing.T) {
	w := newWorld(t, func(o *cloudformation.Options) { o.DeliverAgain = 90 * time.Second })
	w.run(func() { w.created() })
	w.expect("the requests", w.asked(), "0s Create  1\n1m30s Create  1")
	if w.requests[0].RequestId != w.requests[1].RequestId || w.requests[0].ResponseURL != w.requests[1].ResponseURL {
		t.Error("the second delivery is another request")
	}
	if a := w.Answers(); len(a) != 2 || !a[0].Accepted || a[1].Accepted {
		t.Errorf("the answers: %+v", a)
	}
}

func TestRequestIDsMayBeReused(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		w := newWorld(t, func(o *cloudformation.Options) { o.ReuseRequestIDs = reuse })
		w.answer = fails(2)
		w.run(func() { w.updated() })
		first, update, back := w.requests[0], w.requests[1], w.requests[2]
		if first.RequestId == update.RequestId || (update.RequestId == back.RequestId) != reuse || update.ResponseURL == back.ResponseURL {
			t.Errorf("reused %v: %s, %s", reuse, update.RequestId, back.RequestId)
		}
	}
}

// TestAnswersThatAreLost: one that was cut off may be sent again, whether or not it has arrived.
func TestAnswersThatAreLost(t *testing.T) {
	for kind, accepted := range map[localaws.FaultKind]int{localaws.CutBefore: 2, localaws.CutAfter: 1, localaws.Unavailable: 2, localaws.ServerError: 2} {
		w := newWorld(t, func(o *cloudformation.Options) {
			o.OnPut = func(number int) localaws.FaultKind {
				if number == 1 {
					return kind
				}
				return ""
			}
		})
		w.puts = 2
		w.run(func() {
			if s := w.created(); s.Status() != types.StackStatusCreateComplete {
				t.Errorf("%s: the stack is %s", kind, s.Status())
			}
		})
		for i, a := range w.Answers() {
			if a.Accepted != (i+1 == accepted) {
				t.Errorf("%s: %d: %+v", kind, i+1, a)
			}
		}
	}
}

// TestAProviderThatFailsIsCalledThreeTimes, and then nobody answers: the stack waits for the rest of the hour.
func TestAProviderThatFailsIsCalledThreeTimes(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(n int, _ request) map[string]any {
		if n <= 3 {
			return map[string]any{"crash": "out of memory"}
		}
		return map[string]any{}
	}
	w.run(func() { w.created() })
	if asked := w.asked(); !strings.HasPrefix(asked, "0s Create  1\n1m0s Create  1\n3m0s Create  1\n1h0m0s Delete shop-Rollout-") {
		t.Error(asked)
	}
	var record struct {
		RequestContext  struct{ Condition string }
		RequestPayload  request
		ResponsePayload struct{ ErrorMessage string }
	}
	if err := json.Unmarshal(w.kept, &record); err != nil || record.RequestContext.Condition != "RetriesExhausted" ||
		record.RequestPayload.RequestId != w.requests[0].RequestId || record.ResponsePayload.ErrorMessage != "out of memory" {
		t.Errorf("%s: %v", w.kept, err)
	}
}

func TestInvalidAnswersFailTheResource(t *testing.T) {
	for want, answer := range map[string]map[string]any{
		"Invalid PhysicalResourceId":       {"PhysicalResourceId": ""},
		"invalid response: Invalid Phys":   {"PhysicalResourceId": strings.Repeat("x", 1025)},
		"invalid response: Response objec": {"Reason": strings.Repeat("x", 4096)},
		"is not the request's":             {"StackId": "another"},
		"LogicalResourceId is not":         {"LogicalResourceId": "Another"},
		"RequestId or":                     {"RequestId": "another"},
		"neither SUCCESS nor FAILED":       {"Status": "FAILURE"},
		"it is not JSON":                   {"Reason": 1},
	} {
		w := newWorld(t, nil)
		w.answer = func(n int, _ request) map[string]any {
			if n == 2 {
				return answer
			}
			return map[string]any{}
		}
		w.run(func() {
			if s, events := w.updated(); s.Status() != types.StackStatusUpdateRollbackComplete || !strings.Contains(events, want) {
				t.Errorf("no %q in\n%s", want, events)
			}
		})
	}
}

var urlForm = regexp.MustCompile(`^https://cloudformation-custom-resource-response-eucentral1\.s3\.eu-central-1\.amazonaws\.com/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3Astack%2Fshop%2F[0-9a-f-]{36}%7CRollout%7C[0-9a-f-]{36}\?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260301T120000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=7200&X-Amz-Credential=[^&]+&X-Amz-Signature=[0-9a-f]{64}$`)

// TestTheURLForAnAnswer is valid for two hours, and only as it is.
func TestTheURLForAnAnswer(t *testing.T) {
	w := newWorld(t, nil)
	w.run(func() {
		w.created()
		url := w.requests[0].ResponseURL
		if !urlForm.MatchString(url) {
			t.Errorf("the URL is %s", url)
		}
		forged := url[:len(url)-1] + "x"
		for url, want := range map[string]int{url: 200, forged: 403, "https://example.com/": 403} {
			if status, err := w.put(url, []byte("{}")); err != nil || status != want {
				t.Errorf("%s: %d %v, want %d", url, status, err, want)
			}
		}
		w.clock.Sleep(2 * time.Hour)
		if status, err := w.put(url, []byte("{}")); err != nil || status != 403 {
			t.Errorf("later: %d %v", status, err)
		}
	})
}
