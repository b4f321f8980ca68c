package health

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
)

// Secrets reads what a reference leads to: "secretsmanager:<name or ARN>", with
// "#<key>" for one text of a secret that is a JSON object, or "ssm:<parameter>".
// No error has anything of the secret in it.
type Secrets interface {
	Secret(ctx context.Context, reference string) (string, error)
}

// secretsManagerAPI is the part of Secrets Manager's API that is used here.
type secretsManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// parametersAPI is the part of Systems Manager's API that is used here.
type parametersAPI interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// StoredSecrets reads secrets from Secrets Manager and from Systems Manager's
// parameters, each time anew.
type StoredSecrets struct {
	manager    secretsManagerAPI
	parameters parametersAPI
}

// NewSecrets reads through clients of both services.
func NewSecrets(manager secretsManagerAPI, parameters parametersAPI) StoredSecrets {
	return StoredSecrets{manager: manager, parameters: parameters}
}

// Secret implements Secrets. Line breaks at the end, which files often have,
// are not part of a secret.
func (s StoredSecrets) Secret(ctx context.Context, reference string) (string, error) {
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

// remembered are secrets that have been read.
type remembered struct {
	from  Secrets
	mutex sync.Mutex // not held while a secret is read: gates ask side by side
	read  map[string]readSecret
}

type readSecret struct {
	value string
	err   error
}

// RememberSecrets reads each secret once, whatever comes of it. It is for one
// check: a secret that was rotated is read by the next.
func RememberSecrets(from Secrets) Secrets {
	return &remembered{from: from, read: map[string]readSecret{}}
}

func (r *remembered) Secret(ctx context.Context, reference string) (string, error) {
	r.mutex.Lock()
	known, ok := r.read[reference]
	r.mutex.Unlock()
	if !ok {
		known.value, known.err = r.from.Secret(ctx, reference)
		r.mutex.Lock()
		r.read[reference] = known
		r.mutex.Unlock()
	}
	return known.value, known.err
}

func (s StoredSecrets) fetch(ctx context.Context, kind, source string) (string, error) {
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

// textAt is one text of a JSON object. Errors of encoding/json quote their
// input, so they stay here.
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

// plainly is what AWS says of an error, without what the SDK puts around it.
func plainly(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	return &plainError{strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": "), err}
}

type plainError struct {
	text string
	error
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.error }
