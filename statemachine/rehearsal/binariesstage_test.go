package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/runtimeapi"
)

// stage has functions as processes, and one address where they find the local
// AWS of the rehearsal that is under way.
type stage struct {
	url       string
	instances map[string]instance // by the function's ARN
	figures   map[string]*figures // by the function's name

	mutex   sync.Mutex // held by each call of AWS: processes do not take turns as actors do
	aws     http.Handler
	calls   int
	last    map[string]json.RawMessage // what each function was last invoked with, by its ARN
	answers []string                   // of the invocations by a workflow
}

// instance is one execution environment of a function: a *runtimeapi.Instance or
// *runtimeapi.Emulated.
type instance interface {
	Invoke(input json.RawMessage) (json.RawMessage, error)
	PID() int
	Output() string
	Stop()
}

// figures are what a function's executable is like.
type figures struct {
	executable
	starts time.Duration // how long it takes until it asks for an invocation: the median
	warm   string        // how many invocations it serves, if that is known
}

func newStage(t *testing.T) *stage {
	s := &stage{instances: map[string]instance{}, figures: map[string]*figures{}, last: map[string]json.RawMessage{}}
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

// add builds a function, checks that it links these clients beside ofTheConfig and no others,
// and starts it.
func (s *stage) add(t *testing.T, name, pkg string, clients []string) {
	t.Helper()
	f := figures{executable: newExecutable(t, pkg)}
	for _, wrong := range f.check(clients...) {
		t.Errorf("the executable of %s %s", name, wrong)
	}
	var starts []time.Duration
	for range 5 {
		begun := time.Now()
		s.start(t, name, f.path)
		starts = append(starts, time.Since(begun))
	}
	slices.Sort(starts)
	f.starts = starts[len(starts)/2]
	s.figures[name] = &f
}

// start starts a function.
func (s *stage) start(t *testing.T, name, path string) {
	t.Helper()
	f := s.function(name, path)
	instance, err := runtimeapi.Start(f)
	if err != nil {
		t.Fatalf("start %s: %v\n%s", name, err, instance.Output())
	}
	t.Cleanup(instance.Stop)
	if old := s.instances[f.ARN]; old != nil {
		old.Stop()
	}
	s.instances[f.ARN] = instance
}

// function returns a function with the variables that the stack gives it and the
// address of AWS.
func (s *stage) function(name, path string) runtimeapi.Function {
	variables := statemachine.RuntimeSettings()
	maps.Copy(variables, map[string]string{
		"AWS_ENDPOINT_URL": s.url, wire.GatesVariable: strings.Join(rollout.GateNames(), ","), wire.TopicVariable: topicARN, wire.MachineVariable: machineARN,
	})
	return runtimeapi.Function{ARN: functionARN(name), Executable: path, Timeout: simpleTimeout, Environment: variables}
}

// enter has the workflow of a rehearsal call the processes.
func (s *stage) enter(r *run) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.aws = r.server
	r.machine.wrap = func(asl.Invoke) asl.Invoke { return s.invoke }
}

// invoke invokes a function, and reports its failure as Lambda does.
func (s *stage) invoke(_ context.Context, arn string, input json.RawMessage) (json.RawMessage, error) {
	instance, ok := s.instances[arn]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", arn)
	}
	s.mutex.Lock()
	s.last[arn] = input
	s.mutex.Unlock()
	answer, err := instance.Invoke(input)
	s.mutex.Lock()
	s.answers = append(s.answers, fmt.Sprintf("%s: %s %v", arn, answer, err))
	s.mutex.Unlock()
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

// replay repeats a function's last invocation for a while, to see how fast it
// is: each invocation may come twice.
func (s *stage) replay(t *testing.T, name string) {
	t.Helper()
	const aWhile = 300 * time.Millisecond
	arn, n := functionARN(name), 0
	s.calls = 0
	begun := time.Now()
	for ; time.Since(begun) < aWhile; n++ {
		_, err := s.instances[arn].Invoke(s.last[arn])
		var failure *runtimeapi.Failure
		if err != nil && !errors.As(err, &failure) { // that a step is over, for one, is an answer too
			t.Fatalf("%s, again: %v", name, err)
		}
	}
	s.figures[name].warm = fmt.Sprintf(", %.0f invocations/s with %.0f calls of AWS each", float64(n)/time.Since(begun).Seconds(), float64(s.calls)/float64(n))
}

// print prints the figures of a function.
func (s *stage) print(t *testing.T, name string) {
	f := s.figures[name]
	t.Logf("%-16s %.1f MB, %.1f MB zipped (%s), starts in %.0f ms%s%s", name, float64(f.size)/1e6, float64(f.zipped)/1e6, runtime.GOARCH,
		f.starts.Seconds()*1000, f.warm, peak(s.instances[functionARN(name)]))
}

// peak says how much memory a process has used at most, where Linux reports it.
func peak(i instance) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.PID()))
	if err != nil {
		return ""
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes float64
	_, _ = fmt.Sscan(line, &kilobytes)
	return fmt.Sprintf(", at most %.0f MB of memory", kilobytes*1024/1e6)
}
