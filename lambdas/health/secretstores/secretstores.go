// Package secretstores reads the secrets that endpoints refer to, from Secrets
// Manager and from Systems Manager's parameters. It is a package of its own so that
// only the functions that read secrets link the clients.
package secretstores

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
)

// secretsManagerAPI is the part of Secrets Manager's API that is used here.
type secretsManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// parametersAPI is the part of Systems Manager's API that is used here.
type parametersAPI interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// Stored is the gates.Secrets of both stores. It reads a secret again each time.
type Stored struct {
	manager    secretsManagerAPI
	parameters parametersAPI
}

// New returns a Stored that reads through clients of both services.
func New(manager secretsManagerAPI, parameters parametersAPI) Stored {
	return Stored{manager: manager, parameters: parameters}
}

// Secret implements gates.Secrets. It drops line breaks at the end of a secret, which
// files often have. An empty secret is an error.
func (s Stored) Secret(ctx context.Context, reference string) (string, error) {
	kind, source, _ := strings.Cut(reference, ":")
	key, keyed := "", false
	if kind == "secretsmanager" {
		source, key, keyed = strings.Cut(source, "#")
	}
	value, err := s.fetch(ctx, kind, source)
	if err == nil && keyed {
		value, err = textAt(value, key)
	}
	value = strings.TrimRight(value, "\r\n")
	if err == nil && value == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", fmt.Errorf("%s can't be read: %w", reference, err)
	}
	return value, nil
}

func (s Stored) fetch(ctx context.Context, kind, source string) (string, error) {
	switch kind {
	case "secretsmanager":
		out, err := s.manager.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &source})
		if err != nil {
			return "", plainly(err)
		}
		if out.SecretString == nil {
			return "", errors.New("it is binary, and a header is a text")
		}
		return *out.SecretString, nil
	case "ssm":
		out, err := s.parameters.GetParameter(ctx, &ssm.GetParameterInput{Name: &source, WithDecryption: aws.Bool(true)})
		if err != nil {
			return "", plainly(err)
		}
		if out.Parameter == nil {
			return "", errors.New("it has no value")
		}
		return aws.ToString(out.Parameter.Value), nil
	}
	return "", errors.New("it is not a reference to a secret")
}

// textAt returns one string of a JSON object. It returns no errors of encoding/json,
// which quote their input.
func textAt(document, key string) (string, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(document), &fields) != nil || fields == nil {
		return "", errors.New("it is not a JSON object, so it has no keys")
	}
	var text *string
	if json.Unmarshal(fields[key], &text) != nil || text == nil {
		return "", fmt.Errorf("it has no text at the key %q", key)
	}
	return *text, nil
}

// plainly returns AWS's own text of an error, without what the SDK adds.
func plainly(err error) error {
	var api smithy.APIError
	if awserror.Answer(err) != "" || !errors.As(err, &api) {
		return awserror.Plain(err)
	}
	return &plainError{strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": "), err}
}

type plainError struct {
	text string
	error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.error }
