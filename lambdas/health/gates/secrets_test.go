package gates_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/health/secretstores"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stores are secrets in a local AWS; calls counts what was asked of it.
func stores(t *testing.T) (aws *localaws.Server, calls *int, all gates.Secrets) {
	t.Helper()
	calls = new(int)
	aws = localaws.New(localaws.Options{OnCall: func(localaws.Call) { *calls++ }})
	must(t, aws.AddSecret("plain", "hunter2\r\n"))
	must(t, aws.AddSecret("keys", `{"bearer": "Bearer hunter2", "number": 7, "none": null, "empty": ""}`))
	must(t, aws.PutSecureParameter("/shop/key", "hunter3", "arn:aws:iam::123456789012:user/Mary"))
	must(t, aws.PutParameter("open", "hunter4\n", "arn:aws:iam::123456789012:user/Mary"))
	return aws, calls, secretstores.New(secretsmanager.NewFromConfig(aws.Config()), ssm.NewFromConfig(aws.Config()))
}

func TestSecretsAreReadByReference(t *testing.T) {
	_, _, secrets := stores(t)
	for reference, want := range map[string]string{
		"secretsmanager:plain":       "hunter2",
		"secretsmanager:keys#bearer": "Bearer hunter2",
		"secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-000002#bearer": "Bearer hunter2",
		"ssm:/shop/key": "hunter3",
		"ssm:open":      "hunter4",
	} {
		if got, err := secrets.Secret(t.Context(), reference); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", reference, got, err, want)
		}
	}
	for reference, want := range map[string]string{
		"secretsmanager:gone":        "secretsmanager:gone can't be read: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
		"secretsmanager:keys#gone":   `secretsmanager:keys#gone can't be read: it has no text at the key "gone"`,
		"secretsmanager:keys#number": `secretsmanager:keys#number can't be read: it has no text at the key "number"`,
		"secretsmanager:keys#none":   `secretsmanager:keys#none can't be read: it has no text at the key "none"`,
		"secretsmanager:keys#empty":  `secretsmanager:keys#empty can't be read: it is empty`,
		"secretsmanager:plain#key":   "secretsmanager:plain#key can't be read: it is not a JSON object, so it has no keys",
		"ssm:/gone":                  "ssm:/gone can't be read: ParameterNotFound",
		"hunter2":                    "hunter2 can't be read: it is not a reference to a secret",
	} {
		if got, err := secrets.Secret(t.Context(), reference); err == nil || got != "" || err.Error() != want {
			t.Errorf("%s: %q, %v, want %s", reference, got, err, want)
		}
	}
}

func TestSecretsAreRememberedForOneCheck(t *testing.T) {
	aws, calls, all := stores(t)
	first := gates.RememberSecrets(all)
	for range 3 {
		for _, reference := range []string{"secretsmanager:keys#bearer", "ssm:/shop/key", "ssm:/gone"} {
			_, _ = first.Secret(t.Context(), reference)
		}
	}
	if *calls != 3 {
		t.Errorf("AWS was asked %d times for three secrets", *calls)
	}
	must(t, aws.PutSecureParameter("/shop/key", "rotated", "arn:aws:iam::123456789012:user/Mary"))
	for secrets, want := range map[gates.Secrets]string{first: "hunter3", gates.RememberSecrets(all): "rotated", all: "rotated"} {
		if got, err := secrets.Secret(t.Context(), "ssm:/shop/key"); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}

func TestFaultsOfSecretsAreErrors(t *testing.T) {
	for _, kind := range []localaws.FaultKind{localaws.Throttled, localaws.ServerError, localaws.CutAfter} {
		aws, _, all := stores(t)
		if _, err := aws.Inject(localaws.Fault{Operation: localaws.Every, Kind: kind}); err != nil {
			t.Fatal(err)
		}
		for _, reference := range []string{"secretsmanager:plain", "ssm:/shop/key"} {
			if _, err := all.Secret(t.Context(), reference); err == nil || strings.Contains(err.Error(), "hunter") {
				t.Errorf("%s of %s: %v", kind, reference, err)
			}
		}
	}
}
