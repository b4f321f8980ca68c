//go:build linux

package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// manyServed is how many rollouts the benchmarks of a served AWS run at once.
const manyServed = 200

// BenchmarkServedRollouts runs 200 rollouts at once for 20 minutes of a served AWS whose
// time passes 60 times as fast as real time, while a client calls it over HTTP. It
// reports how fast virtual time passed, how many cores that took, and how long the slowest
// of the client's calls took.
func BenchmarkServedRollouts(b *testing.B) {
	for b.Loop() {
		s, cfg := servedMany(b, 60)
		before, begun := processorTime(b), time.Now()
		startWave(b, s, cfg, 0)
		functions := lambda.NewFromConfig(cfg)
		start, slowest := s.Now(), time.Duration(0)
		for statuses(b, s, 0)[asl.Running] > 0 {
			at := time.Now()
			_, err := functions.GetAlias(b.Context(), &lambda.GetAliasInput{FunctionName: aws.String("F0"), Name: aws.String(servedAlias)})
			if err != nil {
				b.Fatal(err)
			}
			slowest = max(slowest, time.Since(at))
			time.Sleep(50 * time.Millisecond)
		}
		took := time.Since(begun)
		b.ReportMetric(s.Now().Sub(start).Seconds()/took.Seconds(), "speed")
		b.ReportMetric((processorTime(b)-before).Seconds()/took.Seconds(), "cores")
		b.ReportMetric(slowest.Seconds()*1000, "ms/slowest-call")
		b.ReportMetric(float64(statuses(b, s, 0)[asl.Succeeded]), "promoted")
	}
}

// BenchmarkServedWeek runs 200 rollouts at once in each quarter of a day, for a week of
// virtual time. It reports the memory that is in use after each day, and the most that the
// process had from the system.
func BenchmarkServedWeek(b *testing.B) {
	for b.Loop() {
		defer debug.SetGCPercent(debug.SetGCPercent(100)) // as the command serve has it
		s, cfg := servedMany(b, 0)
		promoted := 0
		for day := range 7 {
			for quarter := range 4 {
				startWave(b, s, cfg, 4*day+quarter)
				if _, err := s.Advance(6 * time.Hour); err != nil {
					b.Fatal(err)
				}
				promoted += statuses(b, s, 4*day+quarter)[asl.Succeeded]
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/(1<<20), fmt.Sprintf("MiB-day-%d", day+1))
		}
		b.ReportMetric(float64(promoted), "promoted")
		b.ReportMetric(float64(usage(b).Maxrss)/(1<<10), "MiB-peak") // Linux counts in KiB
	}
}

// servedMany serves an AWS with 200 functions until the benchmark ends.
func servedMany(b *testing.B, speed float64) (*ServedAWS, aws.Config) {
	b.Helper()
	s, err := NewServed(ServeOptions{
		Scenario: Scenario{RequestsPerSecond: 5}, Seed: 1, Template: stacktemplate.Template(), Start: started, Speed: speed,
	})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- s.Serve(ctx) }()
	server := httptest.NewServer(s)
	b.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.Errorf("Serve returned %v", err)
		}
		server.Close()
	})
	if err := s.clock.Do(func() {
		for i := range manyServed {
			if err := s.addTagged(fmt.Sprintf("F%d", i)); err != nil {
				b.Error(err)
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
	return s, s.server.ConfigAt(server.URL)
}

// addTagged adds a function that may be rolled out, with two versions and an alias.
func (s *ServedAWS) addTagged(function string) error {
	return errors.Join(s.server.AddFunction(function, 1, 2), s.server.AddAlias(function, servedAlias, "1", ""),
		s.server.SetTags("arn:aws:lambda:"+region+":"+account+":function:"+function, map[string]string{"lambda-rollout": "enabled"}))
}

// startWave starts a rollout of each function over HTTP: to version 2 in even waves, and
// back to 1 in odd ones.
func startWave(b *testing.B, s *ServedAWS, cfg aws.Config, wave int) {
	b.Helper()
	workflow := sfn.NewFromConfig(cfg)
	var wait sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wait.Go(func() {
			for i := range next {
				_, err := workflow.StartExecution(b.Context(), &sfn.StartExecutionInput{
					StateMachineArn: aws.String(s.StateMachine()),
					Name:            aws.String(fmt.Sprintf("wave-%d-%d", wave, i)),
					Input: aws.String(fmt.Sprintf(`{"function-name": "F%d", "alias-name": %q, "new-version": "%d", "steps": 10, "interval": 120, "type": "linear"}`,
						i, servedAlias, 2-wave%2)),
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range manyServed {
		next <- i
	}
	close(next)
	wait.Wait()
}

// statuses returns how many of the executions of a wave have each status.
func statuses(b *testing.B, s *ServedAWS, wave int) map[asl.Status]int {
	b.Helper()
	counts := map[asl.Status]int{}
	if err := s.clock.Do(func() {
		for _, e := range s.machine.executions {
			if strings.HasPrefix(e.name, fmt.Sprintf("wave-%d-", wave)) {
				counts[e.Status()]++
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
	return counts
}

// processorTime returns the time that the process has spent on processors.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	u := usage(b)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// usage returns what the process has used of the system.
func usage(b *testing.B) (u syscall.Rusage) {
	b.Helper()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u
}
