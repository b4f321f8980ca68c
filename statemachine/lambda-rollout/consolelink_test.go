package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/servedtest"
)

// TestTheConsolesLink leads to serve's page, and never to AWS's for an AWS on this machine.
func TestTheConsolesLink(t *testing.T) {
	a := servedtest.New(t, `{}`)
	a.Environment(t)
	a.Begin("it", linear)
	a.Advance(time.Minute)
	for _, args := range [][]string{{"get", "it"}, {"get", "it", "-o", "json"}} {
		if out := expect(t, a, 0, "RUNNING", "", args...); strings.Contains(out, "console.aws") {
			t.Errorf("%q: %s", args, out)
		}
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	var err error
	if handler, err = withConsole(a.ServedAWS, server.URL); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	releases := a.ReleaseStateMachine()
	if _, err := sfn.NewFromConfig(a.Config).StartExecution(t.Context(), &sfn.StartExecutionInput{StateMachineArn: &releases, Name: aws.String("refused"), Input: aws.String("{}")}); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	for _, of := range []struct {
		code  int
		says  string
		words []string
	}{{0, "RUNNING", []string{"get", "it"}}, {0, "REFUSED", []string{"release", "get", "refused"}}} {
		link := regexp.MustCompile(`console +(http\S+)`).FindStringSubmatch(expect(t, a, of.code, of.says, "", of.words...))
		if link == nil {
			t.Fatalf("%q: there is no link to serve's console", of.words)
		}
		page, err := http.Get(link[1])
		if err != nil {
			t.Fatal(err)
		}
		page.Body.Close()
		if page.StatusCode != http.StatusOK || !strings.HasPrefix(link[1], server.URL) {
			t.Errorf("%s: %s", link[1], page.Status)
		}
	}
}
