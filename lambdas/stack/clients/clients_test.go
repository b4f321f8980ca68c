package clients_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack/clients"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack/provider"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestWhereAnswersMayGo is which URLs are CloudFormation's.
func TestWhereAnswersMayGo(t *testing.T) {
	const path = "/arn%3Aaws%3Acloudformation%3Aeu-central-1%3A123456789012%3Astack/shop%7CRollout%7C1?X-Amz-Signature=s"
	for text, want := range map[string]bool{
		"https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com" + path:   true,
		"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com" + path:                   true,
		"https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn" + path:    true,
		"https://cloudformation-waitcondition-eu-central-1.s3.eu-central-1.amazonaws.com" + path:            true,
		"https://s3.eu-central-1.amazonaws.com/cloudformation-custom-resource-response-eucentral1" + path:   true,
		"http://cloudformation-custom-resource-response-useast1.s3.amazonaws.com" + path:                    false,
		"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com:8443" + path:              false,
		"https://user@cloudformation-custom-resource-response-useast1.s3.amazonaws.com" + path:              false,
		"https://my-bucket.s3.eu-central-1.amazonaws.com" + path:                                            false,
		"https://s3.eu-central-1.amazonaws.com/my-bucket/cloudformation-custom-resource-response-x/" + path: false,
		"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com.evil.example" + path:      false,
		"https://evil.example/cloudformation-custom-resource-response-useast1" + path:                       false,
		"https://169.254.169.254/latest": false,
		"file:///etc/passwd":             false,
		"":                               false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := clients.Amazon(u); got != want {
			t.Errorf("%s: %t, want %t", text, got, want)
		}
	}
}

// TestAnswersAreSent with no Content-Type, again if that fails, to no other URL than allowed,
// nowhere where they are redirected, and with no word of the URL in an error.
func TestAnswersAreSent(t *testing.T) {
	status, puts, other := http.StatusOK, []string{}, 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { other++ }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		puts = append(puts, r.Method+" "+r.Header.Get("Content-Type")+string(body))
		if status == http.StatusTemporaryRedirect {
			w.Header().Set("Location", elsewhere.URL)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	slept := 0
	sleep := func(context.Context, time.Duration) error { slept++; return nil }
	answers := clients.NewAnswers(&http.Client{}, func(u *url.URL) bool { return u.Path == "/bucket" }, sleep)
	send := func(to string) error { return answers.Send(context.Background(), to, []byte("{}")) }
	const secret = "?X-Amz-Signature=secret"
	if err := send(server.URL + "/bucket" + secret); err != nil || len(puts) != 1 || puts[0] != "PUT {}" {
		t.Errorf("%v, %q", err, puts)
	}
	for _, status = range []int{http.StatusForbidden, http.StatusTemporaryRedirect} {
		puts, slept = nil, 0
		if err := send(server.URL + "/bucket" + secret); err == nil || strings.Contains(err.Error(), "secret") || len(puts) != 3 || slept != 2 || other > 0 {
			t.Errorf("status %d: %v, %q, slept %d times, %d elsewhere", status, err, puts, slept, other)
		}
	}
	server.Close()
	for _, to := range []string{server.URL + "/bucket" + secret, server.URL + "/other" + secret, ":" + secret} {
		if err := send(to); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

// TestRecords are kept apart by resource, added once, and without their secrets once they
// are over.
func TestRecords(t *testing.T) {
	server := localaws.New(localaws.Options{})
	api := ssm.NewFromConfig(server.Config())
	records, ctx := clients.NewRecords(api, "/stacks/machine/"), context.Background()
	record := func(resource, attempt string) stack.Record {
		return stack.Record{ID: stack.ID{Resource: resource, Attempt: attempt}, RequestID: attempt, ResponseURL: "https://example.com/?Signature=secret" + strings.Repeat("x", 5000)}
	}
	first := record("a", "1")
	for _, r := range []stack.Record{first, record("a", "2"), record("b", "1")} {
		if _, added, err := records.Add(ctx, r); !added || err != nil {
			t.Fatal(added, err)
		}
	}
	again := first
	again.RequestID = "another"
	if there, added, err := records.Add(ctx, again); added || err != nil || there != first {
		t.Errorf("%t, %v: %v", added, err, there)
	}
	first.ResponseURL, first.Over = "", true
	if err := records.Put(ctx, first); err != nil {
		t.Fatal(err)
	}
	yes := true
	name := "/stacks/machine/a/1"
	history, err := api.GetParameterHistory(ctx, &ssm.GetParameterHistoryInput{Name: &name, WithDecryption: &yes})
	if err != nil || len(history.Parameters) != 1 || strings.Contains(*history.Parameters[0].Value, "secret") {
		t.Errorf("%v: %d values of a record that is over", err, len(history.Parameters))
	}
	if err := records.Remove(ctx, first.ID); err != nil {
		t.Error(err)
	}
	if err := records.Remove(ctx, first.ID); err != nil {
		t.Error(err)
	}
	for resource, want := range map[string]int{"a": 1, "b": 1, "c": 0, "": 2} {
		if all, err := records.All(ctx, resource); err != nil || len(all) != want {
			t.Errorf("%q: %d records, %v; want %d", resource, len(all), err, want)
		}
	}
	if err := server.PutSecureParameter("/stacks/machine/a/3", "no record", "arn:aws:iam::123456789012:user/ann"); err != nil {
		t.Fatal(err)
	}
	if all, err := records.All(ctx, "a"); !errors.Is(err, provider.ErrUnreadable) || !strings.Contains(err.Error(), "/stacks/machine/a/3") || len(all) != 1 {
		t.Errorf("%v, and %d records", err, len(all))
	}
}
