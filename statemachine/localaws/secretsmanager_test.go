package localaws

import (
	"errors"
	"io"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestSecrets(t *testing.T) {
	clock := &virtualClock{now: noon}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep})
	check(t, s.AddSecret("shop/key", "old"))
	check(t, s.AddSecret("shop/key", `{"bearer": "hunter2"}`))
	check(t, s.AddSecret("other", "x"))
	if err := s.AddSecret("a b", "x"); err == nil {
		t.Error("a name with a space was taken")
	}
	const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/key"
	for transport, cfg := range configurations(t, s) {
		client := secretsmanager.NewFromConfig(cfg)
		for _, id := range []string{"shop/key", arn, arn + "-000001"} {
			got, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
			check(t, err)
			if *got.SecretString != `{"bearer": "hunter2"}` || *got.Name != "shop/key" || *got.ARN != arn+"-000001" || !got.CreatedDate.Equal(noon) {
				t.Errorf("%s, %s: %q of %s (%s)", transport, id, *got.SecretString, *got.Name, *got.ARN)
			}
		}
		for id, want := range map[string]string{"shop": "ResourceNotFoundException", arn + "-000002": "ResourceNotFoundException", "": "ValidationException"} {
			_, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
			if code, status := outcome(err); code != want || status != 400 {
				t.Errorf("%s, %q: %v, want %s", transport, id, err, want)
			}
		}
		_, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("other"), VersionStage: aws.String("AWSPREVIOUS")})
		if gone := (*types.ResourceNotFoundException)(nil); !errors.As(err, &gone) {
			t.Errorf("a version that is not kept: %v", err)
		}
	}
}

func TestFaultsOfSecretsAndParameters(t *testing.T) {
	w := newWorld(t, Options{})
	secrets, parameters := secretsmanager.NewFromConfig(w.Config()), ssm.NewFromConfig(w.Config())
	check(t, w.AddSecret("s", "x"))
	check(t, w.PutParameter("/p", "x", mary))
	for operation, service := range map[string]struct {
		broken string
		call   func() error
	}{
		"GetSecretValue": {"InternalServiceError", func() error {
			_, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
			return err
		}},
		"GetParameter": {"InternalServerError", func() error {
			_, err := parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("/p")})
			return err
		}},
	} {
		for kind, want := range map[FaultKind]string{Throttled: "ThrottlingException", ServerError: service.broken, Unavailable: "ServiceUnavailable", CutBefore: "cut", CutAfter: "cut"} {
			injection := w.inject(t, Fault{Operation: operation, Kind: kind})
			err := service.call()
			code, _ := outcome(err)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				code = "cut"
			}
			if code != want || injection.Fired() != 1 {
				t.Errorf("%s %s: %v, want %s", operation, kind, err, want)
			}
			injection.Remove()
			check(t, service.call())
		}
	}
}
