package asl_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// replayed is a world of actors whose acts depend on each other and on what comes from
// outside.
type replayed struct {
	clock *asl.Clock
	sum   uint64
	log   []string
}

// newReplayed returns a world whose actors sleep for drawn times, some of which fall on
// the same instants.
func newReplayed() *replayed {
	w := &replayed{clock: asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	for i := range 5 {
		random := rand.New(rand.NewPCG(uint64(i), 0))
		w.clock.Go(func() {
			for range 400 {
				w.act(fmt.Sprintf("actor %d", i))
				w.clock.Sleep(time.Duration(random.IntN(4)) * 5 * time.Second)
			}
		})
	}
	return w
}

// act changes the world in a way that depends on the order of acts and their times.
func (w *replayed) act(who string) {
	w.sum = w.sum*31 + uint64(len(who)) + uint64(w.clock.Now().UnixNano())
	w.log = append(w.log, fmt.Sprintf("%s at %s: %d", who, w.clock.Now().Format(time.RFC3339Nano), w.sum))
}

// visit is what comes from outside: an act, a child, and another act later.
func (w *replayed) visit(who string) func() {
	return func() {
		w.act(who)
		w.clock.Go(func() { w.act("a child of " + who) })
		w.clock.Sleep(7 * time.Second)
		w.act(who + " again")
	}
}

// recordedRun serves a world at a speed, while visitors come, and returns it with what
// was recorded.
func recordedRun(t *testing.T, speed float64) (*replayed, []asl.Recorded, []string) {
	t.Helper()
	w := newReplayed()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	pacer := asl.NewPacer(w.clock.Now(), speed)
	go func() { ended <- w.clock.Serve(ctx, pacer) }()
	var moments []asl.Recorded // appended in the clock's turn only
	var names []string
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			for j := range 15 {
				who := fmt.Sprintf("visitor %d.%d", i, j)
				if err := errors.Join(
					w.clock.Do(func() { w.clock.Sleep(time.Second) }),
					w.clock.DoRecorded(func(m asl.Moment) error {
						moments, names = append(moments, asl.Recorded{Moment: m}), append(names, who)
						return nil
					}, w.visit(who)),
				); err != nil {
					t.Error(err)
				}
				pacer.Advance(time.Duration(i*j) * time.Second / 3)
			}
		})
	}
	visited := make(chan struct{})
	go func() {
		wait.Wait()
		close(visited)
	}()
	for moving := true; moving; { // also where there is no speed
		select {
		case <-visited:
			moving = false
		case <-time.After(time.Millisecond):
			pacer.Advance(1500 * time.Millisecond)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return w, moments, names
}

// replay replays moments in a new world, until a time.
func replay(moments []asl.Recorded, names []string, until time.Time) (*replayed, error) {
	w, i := newReplayed(), 0
	err := w.clock.Replay(context.Background(), func() (asl.Recorded, bool) {
		if i == len(moments) {
			return asl.Recorded{}, false
		}
		next := moments[i]
		next.Do = w.visit(names[i])
		i++
		return next, true
	}, until)
	return w, err
}

func TestAReplayRepeatsARun(t *testing.T) {
	for _, speed := range []float64{0, 1000, 1e6} { // the last one is more than the actors keep up with
		t.Run(fmt.Sprint(speed), func(t *testing.T) {
			was, moments, names := recordedRun(t, speed)
			is, err := replay(moments, names, was.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			if n := len(was.log); n < 60 || len(is.log) < n || !slices.Equal(is.log[:n], was.log) {
				for i := range min(len(was.log), len(is.log)) {
					if was.log[i] != is.log[i] {
						t.Fatalf("act %d of %d was %q, and is %q", i, len(was.log), was.log[i], is.log[i])
					}
				}
				t.Fatalf("there were %d acts, and are %d", n, len(is.log))
			}
			if !is.clock.Now().Equal(was.clock.Now()) {
				t.Errorf("it was %s, and is %s", was.clock.Now(), is.clock.Now())
			}
		})
	}
}

func TestAClockIsServedAfterAReplay(t *testing.T) {
	was, moments, names := recordedRun(t, 1000)
	is, err := replay(moments, names, was.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	serve(t, is.clock, 1000)
	acts := 0
	if err := is.clock.Do(func() { is.clock.Sleep(time.Minute); acts = len(is.log) }); err != nil || acts <= len(was.log) {
		t.Errorf("a minute later there are %d acts, after %d: %v", acts, len(was.log), err)
	}
}

func TestAReplayOfAnotherRunIsRefused(t *testing.T) {
	was, moments, names := recordedRun(t, 1000)
	for name, change := range map[string]func(*asl.Recorded){
		"more turns":       func(r *asl.Recorded) { r.Turns += 100000 },
		"another time":     func(r *asl.Recorded) { r.Time = r.Time.Add(time.Hour) },
		"before the start": func(r *asl.Recorded) { r.Time = r.Time.Add(-time.Hour) },
		"fewer turns":      func(r *asl.Recorded) { r.Turns = 0 },
	} {
		other := slices.Clone(moments)
		change(&other[len(other)/2])
		if _, err := replay(other, names, was.clock.Now()); !errors.Is(err, asl.ErrDiverged) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestAReplayEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	w := newReplayed()
	if err := w.clock.Replay(ctx, func() (asl.Recorded, bool) { return asl.Recorded{}, false }, w.clock.Now().Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatCannotBeRecordedIsNotDone(t *testing.T) {
	c := asl.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	serve(t, c, 1)
	full, done := errors.New("full"), false
	if err := c.DoRecorded(func(asl.Moment) error { return full }, func() { done = true }); !errors.Is(err, full) || done {
		t.Errorf("the error is %v, and it was done: %v", err, done)
	}
	if err := c.Do(func() {}); err != nil {
		t.Errorf("after that, Do returned %v", err)
	}
}
