package localaws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way in which a call fails.
type FaultKind string

// The kinds of fault.
const (
	Throttled   FaultKind = "throttled"    // refused: Lambda's 429 TooManyRequestsException, CloudWatch's 400 Throttling
	ServerError FaultKind = "server-error" // refused: 500, Lambda's ServiceException, CloudWatch's InternalServiceFault
	Unavailable FaultKind = "unavailable"  // refused: 503
	CutBefore   FaultKind = "cut-before"   // the connection is cut before the effect, which does not happen
	CutAfter    FaultKind = "cut-after"    // the connection is cut after the effect, so its answer is lost
	Slow        FaultKind = "slow"         // the effect happens, and the answer takes long

	// An intermediary, such as a proxy, answers in AWS's place. There is no effect.
	ProxyForbidden   FaultKind = "proxy-forbidden"   // 403 with a page of HTML
	ProxyUnavailable FaultKind = "proxy-unavailable" // 503 with a page of HTML
	BareThrottle     FaultKind = "bare-throttle"     // 429 with an empty body
)

// Every matches each operation in [Fault.Operation].
const Every = "*"

// Fault describes which calls fail, and how. It strikes a call whose number and time both match. Several faults may strike
// one call: their delays add up, and the first injected fault of a kind other than Slow decides how the call ends.
type Fault struct {
	Operation string // "UpdateAlias", or Every
	Kind      FaultKind

	// First is the number of the first call that is struck, counting the operation's calls from 1 since the injection
	// (0 means 1). Count is the number of calls from there on (0 means all).
	First, Count int

	// From and Until bound the time at which struck calls arrive: From ≤ arrival < Until. A zero time is no bound.
	From, Until time.Time

	// Before is the delay before the effect, After the delay between the effect and the answer. For Slow only.
	Before, After time.Duration
}

// Injection is a fault that [Server.Inject] has put in force. It is safe for concurrent use.
type Injection struct {
	fault  Fault
	faults *faults
	calls  int // of the operation, since the injection
	fired  int
}

// Inject puts a fault in force. It returns an error for a fault that could never fire as written, such as one for an
// operation that the local AWS does not have.
func (s *Server) Inject(f Fault) (*Injection, error) {
	known, kinds := append([]string{Every}, s.Operations()...), FaultKinds()
	switch {
	case !slices.Contains(known, f.Operation):
		return nil, fmt.Errorf("fault: unknown operation %q; known are %s", f.Operation, strings.Join(known, ", "))
	case !slices.Contains(kinds, f.Kind):
		return nil, fmt.Errorf("fault: unknown kind %q; known are %q", f.Kind, kinds)
	case f.First < 0 || f.Count < 0:
		return nil, fmt.Errorf("fault: first %d and count %d must not be negative", f.First, f.Count)
	case f.Before < 0 || f.After < 0:
		return nil, fmt.Errorf("fault: delays %v and %v must not be negative", f.Before, f.After)
	case (f.Before+f.After > 0) != (f.Kind == Slow):
		return nil, fmt.Errorf("fault: the kind %q needs a delay, and other kinds have none; got kind %q, delays %v and %v",
			Slow, f.Kind, f.Before, f.After)
	case !f.Until.IsZero() && !f.From.Before(f.Until):
		return nil, fmt.Errorf("fault: from %v must be before until %v", f.From, f.Until)
	}
	return s.faults.add(f), nil
}

// Operations returns the operations that faults can be of.
func (s *Server) Operations() (names []string) {
	for _, svc := range s.services {
		names = append(names, svc.operations()...)
	}
	return names
}

// FaultKinds returns the kinds of fault.
func FaultKinds() []FaultKind {
	return []FaultKind{Throttled, ServerError, Unavailable, CutBefore, CutAfter, Slow, ProxyForbidden, ProxyUnavailable, BareThrottle}
}

// Remove ends the fault. Removing it again does nothing.
func (i *Injection) Remove() { i.faults.remove(i) }

// Fired returns how many calls the fault has struck.
func (i *Injection) Fired() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.fired
}

// faults holds the faults in force, in the order of their injection.
type faults struct {
	mu      sync.Mutex
	inForce []*Injection
}

func (fs *faults) add(f Fault) *Injection {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	i := &Injection{fault: f, faults: fs}
	fs.inForce = append(fs.inForce, i)
	return i
}

func (fs *faults) remove(i *Injection) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.inForce = slices.DeleteFunc(fs.inForce, func(other *Injection) bool { return other == i })
}

// trouble describes what the faults do to one call. The zero value is a call without faults.
type trouble struct {
	kind          FaultKind // how the call ends; empty if it succeeds
	before, after time.Duration
}

// strike counts a call that arrives now, and returns what the faults do to it.
func (fs *faults) strike(operation string, now time.Time) trouble {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var t trouble
	for _, i := range fs.inForce {
		if i.fault.Operation != operation && i.fault.Operation != Every {
			continue
		}
		i.calls++
		if !i.fault.covers(i.calls, now) {
			continue
		}
		i.fired++
		t.before += i.fault.Before
		t.after += i.fault.After
		if t.kind == "" && i.fault.Kind != Slow {
			t.kind = i.fault.Kind
		}
	}
	return t
}

// covers reports whether the fault strikes the n-th call, arriving now.
func (f Fault) covers(n int, now time.Time) bool {
	first := max(f.First, 1)
	return n >= first && (f.Count == 0 || n < first+f.Count) &&
		(f.From.IsZero() || !now.Before(f.From)) &&
		(f.Until.IsZero() || now.Before(f.Until))
}

// refusalOf returns the error with which the service refuses the call, or nil.
func (t trouble) refusalOf(svc service) *apiError {
	switch t.kind {
	case Throttled:
		return svc.throttled()
	case ServerError:
		return svc.broken()
	case Unavailable:
		return svc.unavailable()
	}
	return nil
}

// intercepted returns the answer of an intermediary, and whether there is one in place of AWS's.
func (t trouble) intercepted() (reply, bool) {
	status := map[FaultKind]int{ProxyForbidden: http.StatusForbidden, ProxyUnavailable: http.StatusServiceUnavailable, BareThrottle: http.StatusTooManyRequests}[t.kind]
	answer := reply{status: status, header: http.Header{}}
	if t.kind != BareThrottle {
		answer.header.Set("Content-Type", "text/html")
		answer.body = []byte("<html><head><title>" + http.StatusText(status) + "</title></head><body><h1>" + http.StatusText(status) + "</h1></body></html>\n")
	}
	return answer, status != 0
}
