package gates

import (
	"context"
	"sync"
)

// Secrets reads the secret that a reference names: "secretsmanager:<name or ARN>",
// with "#<key>" for one string of a secret that is a JSON object, or
// "ssm:<parameter>". Errors hold nothing of the secret.
type Secrets interface {
	Secret(ctx context.Context, reference string) (string, error)
}

// remembered is a Secrets that keeps what it has read.
type remembered struct {
	from  Secrets
	mutex sync.Mutex // not held while a secret is read: gates run in parallel
	read  map[string]readSecret
}

type readSecret struct {
	value string
	err   error
}

// RememberSecrets returns Secrets that read each secret once, and keep the value or
// the error. They are for one check: the next one reads rotated secrets again.
func RememberSecrets(from Secrets) Secrets {
	return &remembered{from: from, read: map[string]readSecret{}}
}

// Secret implements Secrets.
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
