package localaws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// TestInvocationTypes: an event is answered before the function runs, and a dry run does not run it.
func TestInvocationTypes(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		served := make(chan string, 3)
		check(t, w.SetHandler("f", "1", func(payload []byte) ([]byte, time.Duration, error) {
			served <- string(payload)
			return nil, time.Minute, errors.New("fails")
		}))
		invoke := func(kind types.InvocationType, payload string) (*lambda.InvokeOutput, error) {
			return w.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("live"), InvocationType: kind, Payload: []byte(payload)})
		}
		dry, err := invoke(types.InvocationTypeDryRun, "1")
		check(t, err)
		event, err := invoke(types.InvocationTypeEvent, "2")
		check(t, err)
		if got := <-served; got != "2" || dry.StatusCode != 204 || event.StatusCode != 202 || len(event.Payload)+len(dry.Payload) > 0 || event.FunctionError != nil {
			t.Errorf("served %s; statuses %d and %d", got, dry.StatusCode, event.StatusCode)
		}
		if !w.clock.Now().Equal(noon) {
			t.Errorf("the event took until %v", w.clock.Now())
		}
		w.clock.Sleep(2 * time.Minute)
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			errors := w.data(t, "AWS/Lambda", "Errors", "Sum", "FunctionName", "f")
			if len(errors) == 1 && errors[0].Value == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("errors %v", errors)
			}
		}
		for kind, size := range map[types.InvocationType]int{types.InvocationTypeEvent: maxEvent, types.InvocationTypeRequestResponse: maxPayload} {
			_, err := invoke(kind, `"`+strings.Repeat("x", size)+`"`)
			if code, status := outcome(err); code != "RequestTooLargeException" || status != 413 {
				t.Errorf("%s of %d bytes: %v", kind, size, err)
			}
		}
		if _, err := invoke("Later", ""); err == nil {
			t.Error("an invocation type that is none is accepted")
		}
	})
}
