package gates

import (
	"context"
	"sync"
)

// Secrets reads what a reference leads to: "secretsmanager:<name or ARN>", with
// "#<key>" for one text of a secret that is a JSON object, or "ssm:<parameter>".
// No error has anything of the secret in it.
type Secrets interface {
	Secret(ctx context.Context, reference string) (string, error)
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
