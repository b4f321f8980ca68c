package health

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/lambda-rollout/lambda-rollout/lambdas/sequential"
)

// Recent remembers the evidence that it encoded last. A function's environment mostly
// checks the same rollout again, so it need not decode what it has just written. Nil
// remembers nothing. It is safe for concurrent use.
type Recent struct {
	mu       sync.Mutex
	text     json.RawMessage // nil if nothing is remembered
	evidence *Evidence
	clusters *sequential.Clusters // of the evidence that was returned last
	length   int                  // of the text that was encoded last
}

// Decode returns the evidence of a text: that of the last Encode, if it is the same text,
// and the decoded text otherwise. The caller may modify the evidence, so it is returned once.
func (r *Recent) Decode(text json.RawMessage) (*Evidence, error) {
	if r == nil {
		return decodeEvidence(text)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.evidence, error(nil)
	if r.text == nil || !bytes.Equal(text, r.text) {
		e, err = decodeEvidence(text)
	}
	r.text, r.evidence, r.clusters = nil, nil, e.Clusters
	return e, err
}

// Last returns the remembered evidence if it has that text. It must not be modified.
func (r *Recent) Last(text json.RawMessage) (Evidence, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == nil || !bytes.Equal(text, r.text) {
		return Evidence{}, false
	}
	return *r.evidence, true
}

// Encode returns the evidence as JSON, and remembers both if decoding the text would return
// the same. It would not for new clusters, of which JSON has four digits. The evidence must
// not be modified any more.
func (r *Recent) Encode(e *Evidence) (json.RawMessage, error) {
	if r == nil {
		return e.encode(usualLength)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := e.encode(max(r.length, usualLength) + 100)
	if err != nil {
		return nil, err
	}
	r.length, r.text, r.evidence = len(text), nil, nil
	if e.Clusters == nil || e.Clusters == r.clusters {
		r.text, r.evidence = text, e
	}
	return text, nil
}

// usualLength is about how long the evidence's JSON is.
const usualLength = 2500

// decodeEvidence decodes evidence; an empty text is the start.
func decodeEvidence(text json.RawMessage) (*Evidence, error) {
	e := new(Evidence)
	if len(text) == 0 {
		return e, nil
	}
	if err := json.Unmarshal(text, e); err != nil {
		return e, fmt.Errorf("reading the evidence in the execution's data: %w", err)
	}
	return e, nil
}
