package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/runtimeapi"
)

// stage has functions as processes, and one address where they find the local
// AWS of the rehearsal that is under way.
type stage struct {
	url       string
	instances map[string]*runtimeapi.Instance // by the function's ARN
	lines     []string                        // of the table of figures
	figure    map[string]*figures             // by the function's name

	mutex sync.Mutex // held by each call of AWS: processes do not take turns as actors do
	aws   http.Handler
	calls int
	last  map[string]json.RawMessage // what each function was last invoked with, by its ARN
}

// figures are what a function's executable is like.
type figures struct {
	executable
	start time.Duration // the median, until it asks for an invocation
	warm  string        // how many invocations it serves
}

func newStage(t *testing.T) *stage {
	s := &stage{instances: map[string]*runtimeapi.Instance{}, figure: map[string]*figures{}, last: map[string]json.RawMessage{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls++
	s.aws.ServeHTTP(w, r)
}

// add builds a function and starts it, with the variables that the stack gives it.
func (s *stage) add(t *testing.T, name, pkg string, clients ...string) {
	t.Helper()
	f := figures{executable: newExecutable(t, pkg)}
	for _, wrong := range f.check(clients...) {
		t.Errorf("the executable of %s %s", name, wrong)
	}
	function := runtimeapi.Function{
		ARN: functionARN(name), Executable: f.path, Timeout: 15 * time.Minute,
		Environment: map[string]string{"AWS_ENDPOINT_URL": s.url, "GATES": strings.Join(rollout.GateNames(), ","), "TOPIC_ARN": topicARN},
	}
	var starts []time.Duration
	for range 5 {
		if old := s.instances[function.ARN]; old != nil {
			old.Stop()
		}
		begun := time.Now()
		instance, err := runtimeapi.Start(function)
		if err != nil {
			t.Fatal(err)
		}
		starts = append(starts, time.Since(begun))
		s.instances[function.ARN] = instance
	}
	t.Cleanup(s.instances[function.ARN].Stop)
	slices.Sort(starts)
	f.start = starts[len(starts)/2]
	s.figure[name] = &f
}

// enter has the workflow of a rehearsal call the processes.
func (s *stage) enter(r *run) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.aws = r.server
	r.machine.wrap = func(asl.Invoke) asl.Invoke { return s.invoke }
}

// invoke invokes a function, and tells of its failure as Lambda does.
func (s *stage) invoke(_ context.Context, arn string, input json.RawMessage) (json.RawMessage, error) {
	instance, ok := s.instances[arn]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", arn)
	}
	s.mutex.Lock()
	s.last[arn] = input
	s.mutex.Unlock()
	answer, err := instance.Invoke(input)
	var failure *runtimeapi.Failure
	if errors.As(err, &failure) {
		return nil, &asl.TaskError{Name: failure.Type, Cause: string(failure.Payload)}
	}
	return answer, err
}

// output is what the processes have written.
func (s *stage) output() string {
	var all strings.Builder
	for arn, instance := range s.instances {
		fmt.Fprintf(&all, "--- %s\n%s", arn, instance.Output())
	}
	return all.String()
}

// replay repeats a function's last invocation for a while: each may come twice.
func (s *stage) replay(t *testing.T, name string) {
	t.Helper()
	const aWhile = 300 * time.Millisecond
	arn, n := functionARN(name), 0
	s.calls = 0
	begun := time.Now()
	for ; time.Since(begun) < aWhile; n++ {
		_, err := s.instances[arn].Invoke(s.last[arn])
		var failure *runtimeapi.Failure
		if err != nil && (!errors.As(err, &failure) || failure.Type != "AliasChanged") {
			t.Fatalf("%s, again: %v", name, err)
		}
	}
	s.figure[name].warm = fmt.Sprintf("%.0f invocations/s with %.1f calls of AWS each", float64(n)/time.Since(begun).Seconds(), float64(s.calls)/float64(n))
}

// figures prints them.
func (s *stage) figures(t *testing.T) {
	for name, f := range s.figure {
		t.Logf("%s for %s: %.1f MB, %.1f MB zipped, starts in %.0f ms, %s%s", name, runtime.GOARCH,
			float64(f.size)/1e6, float64(f.zipped)/1e6, f.start.Seconds()*1000, f.warm, peak(s.instances[functionARN(name)]))
	}
}

// peak says how much memory a process has used at most, where Linux tells.
func peak(i *runtimeapi.Instance) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.PID()))
	if err != nil {
		return ""
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes float64
	_, _ = fmt.Sscan(line, &kilobytes)
	return fmt.Sprintf(", at most %.0f MB of memory", kilobytes*1024/1e6)
}
