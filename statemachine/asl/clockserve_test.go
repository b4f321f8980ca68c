package asl_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// serve serves a clock until the test ends, and returns its pacer.
func serve(t *testing.T, c *asl.Clock, speed float64) *asl.Pacer {
	t.Helper()
	pacer := asl.NewPacer(c.Now(), speed)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, pacer) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v, want the context's error", err)
		}
		if err := c.Do(func() {}); !errors.Is(err, asl.ErrStopped) {
			t.Errorf("Do after the end returned %v, want ErrStopped", err)
		}
	})
	return pacer
}

func TestAServedClockWaitsForItsPacer(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	start := c.Now()
	var mu sync.Mutex
	var woken []time.Duration
	for _, d := range []time.Duration{time.Minute, time.Hour} {
		c.Go(func() {
			c.Sleep(d)
			mu.Lock()
			defer mu.Unlock()
			woken = append(woken, c.Now().Sub(start))
		})
	}
	pacer := serve(t, c, 0)
	wokenAfter := func(d time.Duration) int {
		pacer.Advance(d)
		deadline := time.Now().Add(5 * time.Second)
		for {
			var now time.Time
			if err := c.Do(func() { now = c.Now() }); err != nil {
				t.Fatal(err)
			}
			if !now.Before(pacer.Reached()) || time.Now().After(deadline) {
				break
			}
		}
		mu.Lock()
		defer mu.Unlock()
		return len(woken)
	}
	for _, step := range []struct {
		by   time.Duration
		want int
	}{{0, 0}, {59 * time.Second, 0}, {time.Second, 1}, {59*time.Minute - 1, 1}, {1, 2}} {
		if got := wokenAfter(step.by); got != step.want {
			t.Fatalf("after another %v, %d actors have woken, want %d", step.by, got, step.want)
		}
	}
	if woken[0] != time.Minute || woken[1] != time.Hour {
		t.Errorf("the actors woke at %v, want exactly a minute and an hour", woken)
	}
}

func TestAServedClockPassesAtItsSpeed(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	serve(t, c, 1000)
	began := time.Now()
	var slept time.Duration
	err := c.Do(func() {
		from := c.Now()
		c.Sleep(100 * time.Second)
		slept = c.Now().Sub(from)
	})
	if real := time.Since(began); err != nil || slept < 100*time.Second || real < 100*time.Millisecond {
		t.Errorf("100 virtual seconds took %v virtual ones and %v in reality (%v)", slept, real, err)
	}
}

func TestWhatIsDoneFromOutsideIsDoneInTurn(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	serve(t, c, 10000)
	var wait sync.WaitGroup
	inside, most, sum := 0, 0, 0 // unguarded: only one actor runs at a time
	for range 50 {
		wait.Go(func() {
			for range 20 {
				if err := c.Do(func() {
					inside++
					most = max(most, inside)
					sum++
					inside--
					c.Sleep(time.Second)
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if most != 1 || sum != 1000 {
		t.Errorf("%d calls ran, %d at once, want 1000 and 1", sum, most)
	}
}

func TestAFailureFromOutsideIsItsCallers(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	serve(t, c, 1)
	if err := c.Do(func() { panic("broken") }); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("Do of a function that panics returned %v", err)
	}
	if err := c.Do(func() {}); err != nil {
		t.Errorf("after that, Do returned %v", err)
	}
}

func TestDoEndsWithTheClock(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	ctx, stop := context.WithCancel(context.Background())
	never := c.NewSignal()
	began := make(chan struct{})
	go func() {
		<-began
		stop()
	}()
	left := false
	go func() { _ = c.Serve(ctx, asl.NewPacer(c.Now(), 1)) }()
	err := c.Do(func() {
		defer func() { left = true }()
		close(began)
		c.Wait(time.Time{}, never)
	})
	if !errors.Is(err, asl.ErrStopped) || !left {
		t.Errorf("Do returned %v, and its actor has left: %v", err, left)
	}
}

func TestSettleLetsAllRunThatIsDue(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	steps := 0
	c.Go(func() {
		c.Sleep(time.Minute)
		for range 100 { // one after the other, at the same instant
			c.Sleep(0)
			steps++
		}
	})
	pacer := serve(t, c, 0)
	began := make(chan struct{}, 2)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			if err := c.Do(func() {
				began <- struct{}{}
				c.Sleep(time.Minute)
				c.Settle()
				if steps != 100 {
					t.Errorf("%d steps are done, want 100", steps)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
	<-began
	<-began
	pacer.Advance(time.Minute)
	wait.Wait()
}

// An actor is always due if the time that the pacer gives is too short.
func TestServeEndsWhileTheClockIsBehind(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := asl.NewClock(start)
	ctx, cancel := context.WithCancel(t.Context())
	turns := 0
	c.Go(func() {
		for ; turns < 1_000_000; turns++ {
			if turns == 1000 {
				cancel()
			}
			c.Sleep(time.Second)
		}
	})
	pacer := asl.NewPacer(start, 0)
	pacer.AdvanceTo(start.Add(100 * 24 * time.Hour))
	if err := c.Serve(ctx, pacer); !errors.Is(err, context.Canceled) || turns > 1001 {
		t.Errorf("Serve ended with %v after %d turns, not when it was canceled", err, turns)
	}
}
