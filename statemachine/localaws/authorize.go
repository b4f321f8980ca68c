package localaws

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Authorize decides whether a principal may perform an IAM action on a resource, an ARN or "*". The context maps the
// condition keys that are known for the call to their values. A key without values is known to be absent; a key that ends
// in /*, such as "aws:ResourceTag/*", stands for all others with the same prefix. The context must not be modified.
//
// An error denies the call. Its text is the reason, as in "no identity-based policy allows the lambda:GetAlias action".
type Authorize func(principal, action, resource string, context map[string][]string) error

// As returns a copy of a configuration of [Server.Config] or [Server.ConfigAt] whose clients make calls as a principal: an
// ARN, such as that of an assumed role. Calls without a principal are never denied: the rehearsal itself makes them.
func (s *Server) As(principal string, cfg aws.Config) aws.Config {
	cfg = cfg.Copy()
	if _, ok := cfg.HTTPClient.(client); ok {
		cfg.HTTPClient = client{s, principal} // nothing is signed there
		return cfg
	}
	cfg.Credentials = keyOf(principal)
	return cfg
}

// anonymousKey is the access key id of clients without a principal.
const anonymousKey = "local"

// keyOf returns credentials whose access key has that id.
func keyOf(id string) aws.CredentialsProviderFunc {
	return func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: "local", Source: "localaws"}, nil
	}
}

// principalOf returns who signed a request: the access key id of its credential; empty without a principal.
func principalOf(r *http.Request) string {
	parts := credentialOf(r)
	if len(parts) < 5 {
		return ""
	}
	key := strings.Join(parts[:len(parts)-4], "/")
	if key == anonymousKey {
		return ""
	}
	return key
}

// authorize returns the service's refusal if the call's principal may not make the call, and nil otherwise.
func (s *Server) authorize(svc service, operation string, r *request) *apiError {
	return s.allow(svc, r.principal, func() ([]need, *apiError) {
		needed, err := svc.needs(operation, r)
		if err == nil && len(needed) == 0 {
			err = unknownOperation(operation+", as far as permissions go", r.Request)
		}
		return needed, err
	})
}

// allow returns the service's refusal if the principal, if any, has not all the permissions that are needed, and nil otherwise.
func (s *Server) allow(svc service, principal string, needs func() ([]need, *apiError)) *apiError {
	if s.options.Authorize == nil || principal == "" {
		return nil
	}
	needed, err := needs()
	if err != nil {
		return err
	}
	for _, n := range needed {
		if n == nothingNeeded {
			continue
		}
		keys := noTags
		switch {
		case n.tagged:
			keys = s.tags.of(n.resource)
		case n.resource != "*":
			keys = nil
		}
		if why := s.options.Authorize(principal, n.action, n.resource, keys); why != nil {
			return svc.denied(NotAuthorized(principal, n.action, n.resource, why))
		}
	}
	return nil
}

// NotAuthorized returns AWS's message for a call that was denied.
func NotAuthorized(principal, action, resource string, because error) string {
	return fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because %s", principal, action, resource, because)
}

// tags holds the tags of resources, as condition keys. The inner maps are never modified.
type tags struct {
	mu sync.Mutex
	by map[string]map[string][]string // by ARN
}

// noTags holds the condition keys of a resource that has no tags, or that can't have any.
var noTags = map[string][]string{"aws:ResourceTag/*": nil}

// SetTags replaces the tags of a resource, without a call: a function, a parameter, or a secret, whose ARN is given without
// the six characters at its end. It returns an error for the ARN of another resource. Only authorization reads the tags.
func (s *Server) SetTags(arn string, given map[string]string) error {
	parts := strings.SplitN(arn, ":", 7)
	if kind := strings.Join(parts[:min(3, len(parts))], ":"); kind != "arn:aws:ssm" && (len(parts) < 7 || kind != "arn:aws:lambda" && kind != "arn:aws:secretsmanager") {
		return fmt.Errorf("set tags: %q is not the ARN of a function, parameter or secret", arn)
	}
	s.tags.set(arn, given)
	return nil
}

// of returns the tags of a resource. A version and an alias have those of their function.
func (t *tags) of(arn string) map[string][]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if keys, ok := t.by[arn]; ok {
		return keys
	}
	switch parts := strings.SplitN(arn, ":", 8); {
	case len(parts) == 8 && parts[2] == "lambda":
		arn = strings.Join(parts[:7], ":")
	case parts[2] == "secretsmanager" && len(arn) > 7:
		arn = arn[:len(arn)-7]
	}
	if keys, ok := t.by[arn]; ok {
		return keys
	}
	return noTags
}

// tagPrefix begins the condition key of each tag of a resource.
const tagPrefix = "aws:ResourceTag/"

// set replaces the tags of the resource with exactly that ARN.
func (t *tags) set(arn string, given map[string]string) {
	keys := map[string][]string{tagPrefix + "*": nil}
	for key, value := range given {
		keys[tagPrefix+key] = []string{value}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by[arn] = keys
}

// plain returns the tags of the resource with exactly that ARN, never nil. The caller may modify them.
func (t *tags) plain(arn string) map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	plain := map[string]string{}
	for key, values := range t.by[arn] {
		if len(values) == 1 {
			plain[strings.TrimPrefix(key, tagPrefix)] = values[0]
		}
	}
	return plain
}

// remove forgets the tags of a resource that is gone.
func (t *tags) remove(arn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.by, arn)
}
