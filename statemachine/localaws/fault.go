package localaws

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way in which a call goes wrong.
type FaultKind string

// The kinds of fault.
const (
	Throttled   FaultKind = "throttled"    // refused: Lambda's 429 TooManyRequestsException, CloudWatch's 400 Throttling
	ServerError FaultKind = "server-error" // refused: 500, Lambda's ServiceException, CloudWatch's InternalServiceFault
	Unavailable FaultKind = "unavailable"  // refused: 503
	CutBefore   FaultKind = "cut-before"   // no effect, and the connection is cut
	CutAfter    FaultKind = "cut-after"    // the effect happens, and its answer is lost
	Slow        FaultKind = "slow"         // the effect happens, and its answer takes long

	// What stands between the caller and AWS answers in its place. There is no effect.
	ProxyForbidden   FaultKind = "proxy-forbidden"   // 403 with a page of HTML
	ProxyUnavailable FaultKind = "proxy-unavailable" // 503 with a page of HTML
	BareThrottle     FaultKind = "bare-throttle"     // 429 with nothing in it
)

// Every matches each operation in [Fault.Operation].
const Every = "*"

// Fault says which calls go wrong, and how. A call is struck when its number and its time both match. Several faults
// may strike one call: their delays add up, and the first injected of another kind than Slow decides how it ends.
type Fault struct {
	Operation string // "UpdateAlias", or Every
	Kind      FaultKind

	// First is the number of the first call that is struck, counting the operation's calls since the injection from
	// 1 (0 means 1), and Count how many from there on (0: all).
	First, Count int

	// From and Until bound the time at which struck calls arrive: From ≤ arrival < Until. Zero: no bound.
	From, Until time.Time

	// Before passes before the effect and After between the effect and the answer. For Slow only.
	Before, After time.Duration
}

// Injection is a fault in force. It is safe for concurrent use.
type Injection struct {
	fault  Fault
	faults *faults
	calls  int // of the operation, since the injection
	fired  int
}

// Inject puts a fault in force. It refuses a fault that could never fire as it is written, such as one of an operation
// that the local AWS does not have.
func (s *Server) Inject(f Fault) (*Injection, error) {
	known := []string{Every}
	for _, svc := range s.services {
		known = append(known, svc.operations()...)
	}
	kinds := []FaultKind{Throttled, ServerError, Unavailable, CutBefore, CutAfter, Slow, ProxyForbidden, ProxyUnavailable, BareThrottle}
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
		return nil, fmt.Errorf("fault: a delay goes with kind %q, and it with a delay; got kind %q, delays %v and %v",
			Slow, f.Kind, f.Before, f.After)
	case !f.Until.IsZero() && !f.From.Before(f.Until):
		return nil, fmt.Errorf("fault: from %v must be before until %v", f.From, f.Until)
	}
	return s.faults.add(f), nil
}

// Remove takes the fault out of force. Removing twice does nothing.
func (i *Injection) Remove() { i.faults.remove(i) }

// Fired tells how many calls the fault has struck.
func (i *Injection) Fired() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.fired
}

// faults are those in force, in the order of their injection.
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

// trouble is what one call goes through. The zero value is a call that goes well.
type trouble struct {
	kind          FaultKind // how it ends, if not well
	before, after time.Duration
}

// strike counts a call that arrives now, and tells what happens to it.
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

// covers reports whether the n-th call, arriving now, is to be struck.
func (f Fault) covers(n int, now time.Time) bool {
	first := max(f.First, 1)
	return n >= first && (f.Count == 0 || n < first+f.Count) &&
		(f.From.IsZero() || !now.Before(f.From)) &&
		(f.Until.IsZero() || now.Before(f.Until))
}

// refusalOf is the error with which the service refuses the call, or nil when it does not.
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

// intercepted is the answer of something that is not AWS, if one comes in the place of AWS's.
func (t trouble) intercepted() (reply, bool) {
	status := map[FaultKind]int{ProxyForbidden: http.StatusForbidden, ProxyUnavailable: http.StatusServiceUnavailable, BareThrottle: http.StatusTooManyRequests}[t.kind]
	answer := reply{status: status, header: http.Header{}}
	if t.kind != BareThrottle {
		answer.header.Set("Content-Type", "text/html")
		answer.body = []byte("<html><head><title>" + http.StatusText(status) + "</title></head><body><h1>" + http.StatusText(status) + "</h1></body></html>\n")
	}
	return answer, status != 0
}
