package rollouts_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rollouts"
)

// TestConsoleURL is AWS's, but not of an AWS on this machine.
func TestConsoleURL(t *testing.T) {
	const machine, execution = "arn:aws:states:eu-central-1:123456789012:stateMachine:m", "arn:aws:states:eu-central-1:123456789012:execution:m:it"
	for endpoint, want := range map[string]string{
		"": "https://console.aws.amazon.com/", "https://vpce-1.states.eu-central-1.vpce.amazonaws.com": "https://console.aws.amazon.com/",
		"http://127.0.0.1:4566": "", "http://localhost:4566/": "", "http://[::1]:4566": "",
	} {
		cfg := aws.Config{Region: "eu-central-1"}
		if endpoint != "" {
			cfg.BaseEndpoint = &endpoint
		}
		c, err := rollouts.Find(t.Context(), cfg, machine, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ConsoleURL(execution); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("with the endpoint %q it is %q", endpoint, got)
		}
		c.Pages = func(_, execution, _ string) string { return "page of " + execution }
		if got := c.ConsoleURL(execution); want == "" && got != "page of "+execution {
			t.Errorf("with the endpoint %q it is %q", endpoint, got)
		}
	}
}
