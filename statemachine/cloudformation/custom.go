package cloudformation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// event is a request to the provider of a custom resource.
type event struct {
	RequestType           string // Create, Update or Delete
	ServiceToken          string
	ResponseURL           string
	StackID               string `json:"StackId"`
	RequestID             string `json:"RequestId"`
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId,omitempty"`
	ResourceType          string
	ResourceProperties    any
	OldResourceProperties any `json:",omitempty"`
}

// response is a provider's answer.
type response struct {
	Status             string // SUCCESS or FAILED
	Reason             string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	Data               map[string]any
}

// request is a request that a provider is to answer.
type request struct {
	event
	over     bool // answered, or no longer waited for
	answered *asl.Signal
	answer   response // once it is answered
	problem  string   // why the answer is not accepted
}

func createCustom(w work) (string, map[string]any, error) {
	r, err := w.ask("Create")
	id := r.answer.PhysicalResourceID
	if id == "" || len(id) > maxPhysicalID {
		id = w.stack.name + "-" + w.id + "-" + w.stack.engine.suffix()
	}
	return id, r.answer.Data, err
}

func updateCustom(w work) (string, map[string]any, error) {
	r, err := w.ask("Update")
	return r.answer.PhysicalResourceID, r.answer.Data, err
}

func deleteCustom(w work) error {
	_, err := w.ask("Delete")
	return err
}

// ask sends a request to the provider and waits for its answer. The error is why it failed; errCancelled if abort fired first.
func (w work) ask(kind string) (*request, error) {
	e := w.stack.engine
	token, timeout, err := w.service()
	if err != nil {
		return &request{}, err
	}
	r, sent := &request{answered: e.clock.NewSignal()}, e.clock.Now()
	r.event = event{
		RequestType: kind, ServiceToken: token, StackID: w.stack.id, RequestID: w.requestID(), LogicalResourceID: w.id,
		PhysicalResourceID: w.physicalID, ResourceType: w.resource.Type, ResourceProperties: inText(w.properties),
	}
	if w.old != nil {
		r.OldResourceProperties = inText(w.old.properties)
	}
	bucket := "cloudformation-custom-resource-response-" + strings.ReplaceAll(e.options.Server.Config().Region, "-", "")
	r.ResponseURL = e.sign(bucket, r.StackID+"|"+w.id+"|"+e.uuid(), presigned{lifetime: urlLifetime, of: r.RequestID, take: r.take})
	document, err := json.Marshal(r.event)
	if err != nil {
		return r, err
	}
	e.clock.Go(func() { e.deliver(token, document) })
	if again := e.options.DeliverAgain; again > 0 {
		e.clock.Go(func() {
			e.clock.Sleep(again)
			e.deliver(token, document)
		})
	}
	fired := e.clock.Wait(sent.Add(timeout), r.answered, w.abort)
	r.over = true
	switch {
	case fired == nil:
		return r, fmt.Errorf("CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [%s]", r.RequestID)
	case fired == w.abort:
		return r, errCancelled
	case r.problem != "":
		return r, fmt.Errorf("invalid response: %s", r.problem)
	case r.answer.Status == "FAILED":
		return r, fmt.Errorf("received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", r.answer.Reason, r.RequestID)
	}
	return r, nil
}

// requestID returns the ID of the next request.
func (w work) requestID() string {
	ids := w.stack.requestIDs
	if ids[w.id] == "" || !w.stack.engine.options.ReuseRequestIDs {
		ids[w.id] = w.stack.engine.uuid()
	}
	return ids[w.id]
}

// service returns the property ServiceToken, and ServiceTimeout: an hour at most.
func (w work) service() (token string, timeout time.Duration, err error) {
	if token = w.text("ServiceToken"); token == "" {
		return "", 0, errors.New("the property ServiceToken is missing")
	}
	timeout, err = w.duration("ServiceTimeout", time.Hour)
	return token, timeout, err
}

// duration returns a property in seconds, which are from 1 to most; most if it is not set.
func (w work) duration(name string, most time.Duration) (time.Duration, error) {
	given, ok := w.properties[name]
	if !ok {
		return most, nil
	}
	seconds, err := strconv.Atoi(fmt.Sprint(given))
	if err != nil || seconds < 1 || seconds > int(most.Seconds()) {
		return 0, fmt.Errorf("the property %s must be from 1 to %.0f", name, most.Seconds())
	}
	return time.Duration(seconds) * time.Second, nil
}

// deliver invokes the provider as Lambda does asynchronously: after a failure again, twice, one and two minutes later.
func (e *Engine) deliver(token string, document json.RawMessage) {
	var err error
	for try := range 3 {
		e.clock.Sleep(time.Duration(try) * time.Minute)
		if _, err = e.options.Invoke(context.Background(), token, document); err == nil {
			return
		}
	}
	if e.options.OnFailure != nil {
		e.options.OnFailure(token, e.failureRecord(token, document, err))
	}
}

// failureRecord returns what Lambda sends to a failure destination.
func (e *Engine) failureRecord(token string, document json.RawMessage, failed error) []byte {
	record, err := json.Marshal(map[string]any{
		"version": "1.0", "timestamp": e.clock.Now(),
		"requestContext":  map[string]any{"requestId": e.uuid(), "functionArn": token + ":$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
		"requestPayload":  document,
		"responseContext": map[string]any{"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
		"responsePayload": map[string]any{"errorMessage": failed.Error()},
	})
	if err != nil {
		panic(err) // the document is JSON, and the rest are texts
	}
	return record
}
