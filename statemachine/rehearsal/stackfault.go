package rehearsal

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// ProviderFault is what goes wrong with one of the calls, and answers, of the provider of a
// rehearsed stack.
type ProviderFault struct {
	// Call is the number of the call, from 1; 0 for none.
	Call int
	Kind ProviderFaultKind
	// Times is how often in a row it happens; 0 for once.
	Times int
}

// ProviderFaultKind is a way in which a call of the provider fails.
type ProviderFaultKind string

// The kinds of faults.
const (
	Refused500  ProviderFaultKind = "refused"      // with status 500, without an effect
	LostAnswer  ProviderFaultKind = "lost"         // it takes effect, and the connection is cut
	CrashBefore ProviderFaultKind = "crash-before" // the function ends before the call
	CrashAfter  ProviderFaultKind = "crash-after"  // and after it
)

// ProviderFaultKinds returns all kinds.
func ProviderFaultKinds() []ProviderFaultKind {
	return []ProviderFaultKind{Refused500, LostAnswer, CrashBefore, CrashAfter}
}

// faultyProvider counts the provider's calls, and has one of them fail.
type faultyProvider struct {
	mutex   sync.Mutex
	fault   ProviderFault
	calls   int
	crashed bool // until the invocation is over
}

// errCrashed stands for the end of a function that crashed: it can make no more calls.
var errCrashed = errors.New("the function has crashed")

// over is called at each end of an invocation.
func (f *faultyProvider) over() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.crashed = false
}

// count counts a call, and returns what goes wrong with it; "" for nothing.
func (f *faultyProvider) count() (kind ProviderFaultKind, crashed bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.crashed {
		return "", true
	}
	f.calls++
	if f.calls < f.fault.Call || f.calls >= f.fault.Call+max(1, f.fault.Times) || f.fault.Call == 0 {
		return "", false
	}
	f.crashed = f.fault.Kind == CrashBefore || f.fault.Kind == CrashAfter
	return f.fault.Kind, false
}

// through returns do with the faults.
func (f *faultyProvider) through(do func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(request *http.Request) (*http.Response, error) {
		kind, crashed := f.count()
		switch {
		case crashed || kind == CrashBefore:
			return nil, errCrashed
		case kind == Refused500:
			return &http.Response{
				StatusCode: http.StatusInternalServerError, Status: "500 Internal Server Error", Header: http.Header{},
				Body: io.NopCloser(strings.NewReader("")), Request: request,
			}, nil
		}
		response, err := do(request)
		if kind == LostAnswer || kind == CrashAfter {
			return nil, errCrashed
		}
		return response, err
	}
}

// doer is a function that makes HTTP requests, for the SDK and for an http.Client.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(request *http.Request) (*http.Response, error)        { return d(request) }
func (d doer) RoundTrip(request *http.Request) (*http.Response, error) { return d(request) }
