package asl

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// journal notes what actors do and when.
type journal struct {
	clock *Clock
	lines []string
}

func newJournal() *journal { return &journal{clock: NewClock(epoch)} }

func (j *journal) note(what string) {
	j.lines = append(j.lines, fmt.Sprintf("%v %s", j.clock.Now().Sub(epoch), what))
}

func (j *journal) want(t *testing.T, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(lines, j.lines); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

var epoch = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

func TestClockOrdersByInstantThenBySequence(t *testing.T) {
	for range 20 { // the goroutines' scheduling must not matter
		j := newJournal()
		for _, name := range []string{"a", "b"} {
			j.clock.Go(func() {
				j.note(name + " begins")
				j.clock.Go(func() { j.note(name + "'s child") })
				j.clock.Sleep(2 * time.Second)
				j.note(name + " at two")
				j.clock.Sleep(0)
				j.note(name + " after the others")
			})
		}
		j.clock.Go(func() {
			j.clock.Sleep(time.Second)
			j.note("c at one")
			j.clock.Sleep(-time.Hour)
			j.note("c has not yielded")
		})
		if err := j.clock.Run(); err != nil {
			t.Fatal(err)
		}
		j.want(t, "0s a begins", "0s b begins", "0s a's child", "0s b's child",
			"1s c at one", "1s c has not yielded",
			"2s a at two", "2s b at two", "2s a after the others", "2s b after the others")
	}
}

func TestClockWaitsForSignalsAndDeadlines(t *testing.T) {
	j := newJournal()
	c := j.clock
	early, late, never := c.NewSignal(), c.NewSignal(), c.NewSignal()
	named := func(s *Signal) string {
		return map[*Signal]string{early: "early", late: "late", nil: "deadline"}[s]
	}
	at := func(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }
	c.Go(func() {
		j.note("1: " + named(c.Wait(at(5), late, early)))
		j.note("1: " + named(c.Wait(at(9), late, early)))
		j.note("1: " + named(c.Wait(at(2), never)))
		j.note("1: " + named(c.Wait(at(3), never, late)))
	})
	c.Go(func() {
		j.note("2: " + named(c.Wait(time.Time{}, early)))
		j.note("2: " + named(c.Wait(time.Time{}, never, late)))
	})
	c.Go(func() {
		c.Sleep(time.Second)
		early.Fire()
		early.Fire()
		j.note("3: fired early")
		c.Sleep(3 * time.Second)
		late.Fire()
	})
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	j.want(t, "1s 3: fired early", "1s 1: early", "1s 1: early", "1s 2: early",
		"2s 1: deadline", "3s 1: deadline", "4s 2: late")
	if len(never.waiters) != 0 || never.Fired() || !early.Fired() {
		t.Errorf("never: %+v, early fired: %v", never, early.Fired())
	}
}

func TestClockWaitForThePastDoesNotYield(t *testing.T) {
	j := newJournal()
	j.clock.Go(func() {
		j.clock.Wait(epoch)
		j.clock.Wait(epoch.Add(-time.Hour))
		j.note("a")
		j.clock.Wait(epoch.Add(1))
		j.note("a")
	})
	j.clock.Go(func() { j.note("b") })
	if err := j.clock.Run(); err != nil {
		t.Fatal(err)
	}
	j.want(t, "0s a", "0s b", "1ns a")
}

// At one instant a signal beats a deadline whose actor has not had its turn.
func TestClockSignalBeatsDeadline(t *testing.T) {
	c := NewClock(epoch)
	s := c.NewSignal()
	var first, second *Signal
	c.Go(func() { c.Sleep(time.Second); s.Fire() })
	c.Go(func() { first = c.Wait(epoch.Add(time.Second), s) })
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	c = NewClock(epoch)
	late := c.NewSignal()
	c.Go(func() { second = c.Wait(epoch.Add(time.Second), late) })
	c.Go(func() { c.Sleep(time.Second); late.Fire() })
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if first != s || second != nil {
		t.Errorf("got %v and %v, want the signal and then the deadline", first, second)
	}
}

func TestClockReportsDeadlock(t *testing.T) {
	c := NewClock(epoch)
	cleaned := 0
	for range 2 {
		c.Go(func() {
			defer func() { cleaned++; c.Sleep(time.Hour) }()
			c.Wait(time.Time{}, c.NewSignal())
			t.Error("went on after a deadlock")
		})
	}
	c.Go(func() { c.Sleep(time.Second) })
	err := c.Run()
	var deadlock *DeadlockError
	if !errors.As(err, &deadlock) || len(deadlock.Actors) != 2 || strings.Count(err.Error(), "clock_test.go") != 4 {
		t.Errorf("got %v, want a deadlock of two actors, with their places", err)
	}
	if cleaned != 2 {
		t.Errorf("%d of 2 blocked actors were unwound", cleaned)
	}
	ran := false
	c.Go(func() { c.Sleep(time.Second); ran = true })
	if err := c.Run(); err != nil || !ran || c.Now() != epoch.Add(2*time.Second) {
		t.Errorf("afterwards: ran %v, error %v, at %v", ran, err, c.Now())
	}
}

func TestClockPassesPanicsOn(t *testing.T) {
	type custom struct{ text string }
	boom := errors.New("boom")
	for _, value := range []any{boom, "text", custom{"of a library"}} {
		c := NewClock(epoch)
		unwound := false
		c.Go(func() {
			defer func() { unwound = true; c.Sleep(time.Hour) }()
			c.Wait(time.Time{}, c.NewSignal())
		})
		c.Go(func() { c.Sleep(time.Second); explode(value) })
		got := func() (r any) {
			defer func() { r = recover() }()
			return c.Run()
		}()
		if !unwound || c.Now() != epoch.Add(time.Second) {
			t.Errorf("%v: the other actor was unwound: %v, at %v", value, unwound, c.Now())
		}
		p, ok := got.(*ActorPanic)
		switch value.(type) {
		case custom:
			if got != value {
				t.Errorf("got %v, want %v", got, value)
			}
		default:
			if !ok || p.Value != value || !strings.Contains(p.Error(), "explode") {
				t.Errorf("got %v, want %v with the actor's stack", got, value)
			}
			if value == boom && !errors.Is(p, boom) {
				t.Errorf("%v does not unwrap to the error", p)
			}
		}
	}
}

func explode(value any) { panic(value) }

// As testing.T.FailNow in an actor does.
func TestClockPassesGoexitOn(t *testing.T) {
	exited, unwound := make(chan bool), false
	go func() {
		returned := false
		defer func() { exited <- !returned }()
		c := NewClock(epoch)
		c.Go(func() {
			defer func() { unwound = true }()
			c.Wait(time.Time{}, c.NewSignal())
		})
		c.Go(func() { c.Sleep(time.Second); runtime.Goexit() })
		_ = c.Run()
		returned = true
	}()
	if !<-exited || !unwound {
		t.Errorf("Run returned although its actor had left by Goexit, or has not unwound the other: %v", unwound)
	}
}

func TestClockRefusesMisuse(t *testing.T) {
	for name, misuse := range map[string]func(c *Clock){
		"Sleep outside": func(c *Clock) { c.Sleep(1) },
		"Wait outside":  func(c *Clock) { c.Wait(epoch) },
		"Run inside":    func(c *Clock) { c.Go(func() { _ = c.Run() }); _ = c.Run() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			misuse(NewClock(epoch))
		}()
	}
}
