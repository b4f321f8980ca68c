package cloudformation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const token = "arn:aws:lambda:eu-central-1:123456789012:function:provider"

// request is an event as the provider reads it.
type request struct {
	RequestType, ServiceToken, ResponseURL, StackId, RequestId, LogicalResourceId, PhysicalResourceId, ResourceType string
	ResourceProperties, OldResourceProperties                                                                       map[string]any
}

func (r request) String() string {
	text := r.RequestType + " " + r.PhysicalResourceId + " " + number(r.ResourceProperties)
	if r.OldResourceProperties != nil {
		text += " after " + number(r.OldResourceProperties)
	}
	return text
}

// number returns the number of the version's ARN in properties.
func number(properties map[string]any) string {
	version := fmt.Sprint(properties["NewVersion"])
	return version[strings.LastIndex(version, ":")+1:]
}

// world has an engine with a provider.
type world struct {
	*cloudformation.Engine
	t      *testing.T
	clock  *asl.Clock
	server *localaws.Server
	// answer returns what the answer to the nth request has beside, or in place of, the fields of a success; nil for none. With
	// "crash", the provider fails with that text.
	answer   func(n int, r request) map[string]any
	takes    time.Duration // how long a request takes
	puts     int           // how often an answer is sent until it arrives
	requests []request
	came     []time.Duration // since noon
	kept     []byte          // what reached the failure destination
}

func newWorld(t *testing.T, change func(*cloudformation.Options)) *world {
	clock := asl.NewClock(noon)
	w := &world{t: t, clock: clock, server: localaws.New(localaws.Options{Now: clock.Now, Sleep: clock.Sleep}), takes: time.Minute, puts: 1}
	w.answer = func(int, request) map[string]any { return map[string]any{} }
	o := cloudformation.Options{Server: w.server, Clock: clock, Invoke: w.provide, OnFailure: func(_ string, record []byte) { w.kept = record }}
	if change != nil {
		change(&o)
	}
	w.Engine = cloudformation.New(o)
	return w
}

// provide is the provider.
func (w *world) provide(_ context.Context, function string, input json.RawMessage) (json.RawMessage, error) {
	var r request
	if err := json.Unmarshal(input, &r); err != nil || function != token {
		w.t.Errorf("%s was called with %s: %v", function, input, err)
	}
	w.requests = append(w.requests, r)
	w.came = append(w.came, w.clock.Now().Sub(noon))
	answer := w.answer(len(w.requests), r)
	if answer == nil {
		return nil, nil
	}
	if reason, ok := answer["crash"]; ok {
		return nil, errors.New(reason.(string))
	}
	w.clock.Sleep(w.takes)
	whole := map[string]any{"Status": "SUCCESS", "PhysicalResourceId": "rollout", "StackId": r.StackId, "RequestId": r.RequestId, "LogicalResourceId": r.LogicalResourceId,
		"Data": map[string]any{"Version": number(r.ResourceProperties)}}
	for name, value := range answer {
		whole[name] = value
	}
	document, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	for range w.puts {
		if status, err := w.put(r.ResponseURL, document); err == nil && status == http.StatusOK {
			break
		}
	}
	return nil, nil
}

func (w *world) put(url string, document []byte) (status int, err error) {
	q, err := http.NewRequest(http.MethodPut, url, bytes.NewReader(document))
	if err != nil {
		return 0, err
	}
	response, err := (&http.Client{Transport: w.Engine}).Do(q)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// run runs a story on the clock.
func (w *world) run(story func()) {
	w.t.Helper()
	w.clock.Go(story)
	if err := w.clock.Run(); err != nil {
		w.t.Fatal(err)
	}
}

// template is a function with its code, a version of it, a rollout, and a resource that comes after it. The version's logical
// ID has the code in it, as that of SAM and CDK does.
func template(code string, change ...func(map[string]cloudformation.Resource)) cloudformation.Template {
	ref := func(id string) map[string]any { return map[string]any{"Ref": id} }
	all := map[string]cloudformation.Resource{
		"Function":       {Type: "AWS::Lambda::Function", Properties: map[string]any{"FunctionName": "f", "Code": map[string]any{"ZipFile": code}}},
		"Version" + code: {Type: "AWS::Lambda::Version", Properties: map[string]any{"FunctionName": ref("Function")}},
		"Rollout":        {Type: "Custom::LambdaRollout", Properties: map[string]any{"ServiceToken": token, "FunctionName": ref("Function"), "NewVersion": ref("Version" + code), "Wait": true, "Health": map[string]any{"max": 0.5}}},
		"After":          {Type: "Local::Resource", DependsOn: []string{"Rollout"}, Properties: map[string]any{"Of": map[string]any{"Fn::GetAtt": []string{"Rollout", "Version"}}}},
	}
	for _, f := range change {
		f(all)
	}
	return cloudformation.Template{Resources: all}
}

// with returns a change of a resource's properties.
func with(id, name string, value any) func(map[string]cloudformation.Resource) {
	return func(all map[string]cloudformation.Resource) { all[id].Properties[name] = value }
}

// created returns a stack with code A.
func (w *world) created(change ...func(map[string]cloudformation.Resource)) *cloudformation.Stack {
	s, err := w.Create("shop", template("A", change...))
	if err != nil {
		w.t.Error(err)
	}
	s.Wait()
	return s
}

// log returns the events of a stack since the one of that number, without those that are in progress.
func log(s *cloudformation.Stack, from int) string {
	var b strings.Builder
	for _, e := range s.Events()[from:] {
		if e.Type == "AWS::CloudFormation::Stack" || !strings.HasSuffix(e.Status, "_IN_PROGRESS") {
			fmt.Fprintf(&b, "%s %s\n", e.At.Sub(noon), e)
		}
	}
	return b.String()
}

func (w *world) expect(what, got, want string) {
	w.t.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// asked returns the requests, one a line, without deliveries of the same.
func (w *world) asked() string {
	var all []string
	for i, r := range w.requests {
		all = append(all, fmt.Sprint(w.came[i], " ", r))
	}
	return strings.Join(all, "\n")
}

// versions returns the numbers of the function's versions that are there.
func (w *world) versions() (numbers string) {
	for n := 1; n < 9; n++ {
		if err := w.server.SetConfiguration("f", fmt.Sprint(n), func(*lambdatypes.FunctionConfiguration) {}); err == nil {
			numbers += fmt.Sprint(n)
		}
	}
	return numbers
}

func TestAStackIsCreatedUpdatedAndDeleted(t *testing.T) {
	w := newWorld(t, nil)
	w.run(func() {
		s := w.created()
		w.expect("the creation", log(s, 0), `
0s shop CREATE_IN_PROGRESS: User Initiated
0s Function CREATE_COMPLETE
0s VersionA CREATE_COMPLETE
1m0s Rollout CREATE_COMPLETE
1m0s After CREATE_COMPLETE
1m0s shop CREATE_COMPLETE`)
		if s.PhysicalID("Rollout") != "rollout" || s.Attribute("Rollout", "Version") != "1" {
			t.Errorf("the rollout is %q with the version %q", s.PhysicalID("Rollout"), s.Attribute("Rollout", "Version"))
		}
		n := len(s.Events())
		if err := s.Update(template("B")); err != nil {
			t.Error(err)
		}
		if err := s.Update(template("C")); err == nil {
			t.Error("a stack is updated twice at once")
		}
		s.Wait()
		w.expect("the update", log(s, n), `
1m0s shop UPDATE_IN_PROGRESS: User Initiated
1m0s Function UPDATE_COMPLETE
1m0s VersionB CREATE_COMPLETE
2m0s Rollout UPDATE_COMPLETE
2m0s After UPDATE_COMPLETE
2m0s shop UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
2m0s VersionA DELETE_COMPLETE
2m0s shop UPDATE_COMPLETE`)
		if w.versions() != "2" {
			t.Errorf("the versions are %s", w.versions())
		}
		if err := s.Update(template("B")); err == nil {
			t.Error("an update without a change")
		}
		n = len(s.Events())
		if err := s.Delete(); err != nil {
			t.Error(err)
		}
		s.Wait()
		w.expect("the deletion", log(s, n), `
2m0s shop DELETE_IN_PROGRESS: User Initiated
2m0s After DELETE_COMPLETE
3m0s Rollout DELETE_COMPLETE
3m0s VersionB DELETE_COMPLETE
3m0s Function DELETE_COMPLETE
3m0s shop DELETE_COMPLETE`)
	})
	w.expect("the requests", w.asked(), `
0s Create  1
1m0s Update rollout 2 after 1
2m0s Delete rollout 2`)
	r := w.requests[1]
	if r.ResourceProperties["Wait"] != "true" || r.ResourceProperties["Health"].(map[string]any)["max"] != "0.5" || r.ResourceType != "Custom::LambdaRollout" || r.ServiceToken != token {
		t.Errorf("the request is %+v", r)
	}
}
