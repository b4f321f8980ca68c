package asl

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// As the handler of a local server does for the actor that calls it.
func TestClockServesGoroutinesThatActForActors(t *testing.T) {
	j := newJournal()
	c := j.clock
	answered := c.NewSignal()
	c.Go(func() {
		for i := range 3 {
			done := make(chan bool)
			go func() {
				defer close(done)
				c.Sleep(2 * time.Second)
				j.note(fmt.Sprintf("call %d", i))
				c.Go(answered.Fire)
				c.Wait(c.Now().Add(time.Second), answered)
			}()
			<-done
			c.Sleep(0)
			j.note(fmt.Sprintf("answer %d", i))
		}
	})
	c.Go(func() {
		for range 2 {
			c.Sleep(3 * time.Second)
			j.note("other")
		}
	})
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	j.want(t, "2s call 0", "2s answer 0", "3s other", "4s call 1", "4s answer 1", "6s other", "6s call 2", "6s answer 2")
}

// A run that ends early ends the goroutines that act for actors, too.
func TestClockUnwindsGoroutinesThatActForActors(t *testing.T) {
	c := NewClock(epoch)
	var order []string
	c.Go(func() {
		defer func() { order = append(order, "actor") }()
		done := make(chan bool)
		go func() {
			defer close(done)
			defer func() { order = append(order, "for it") }()
			c.Wait(time.Time{}, c.NewSignal())
			t.Error("went on after a deadlock")
		}()
		<-done
		c.Sleep(time.Second)
		t.Error("went on after a deadlock")
	})
	var deadlock *DeadlockError
	if err := c.Run(); !errors.As(err, &deadlock) || fmt.Sprint(order) != "[for it actor]" {
		t.Errorf("got %v, and the ends of %q", err, order)
	}
}

// Whatever an actor's deferred calls do, the others are unwound, and Run ends as the
// first failure says.
func TestClockUnwindsAfterEachFailure(t *testing.T) {
	boom := errors.New("boom")
	for name, leave := range map[string]func(c *Clock){
		"failed":               func(c *Clock) { c.fail(boom) },
		"failed, then panic":   func(c *Clock) { defer explode("later"); c.fail(boom) },
		"failed, then sleep":   func(c *Clock) { defer c.Sleep(time.Hour); c.fail(boom) },
		"failed, after a wait": func(c *Clock) { c.Sleep(time.Second); c.fail(boom) },
	} {
		c := NewClock(epoch)
		unwound := 0
		c.Go(func() {
			defer func() { unwound++ }()
			c.Wait(time.Time{}, c.NewSignal())
		})
		c.Go(func() { defer func() { unwound++ }(); leave(c) })
		if err := c.Run(); err != boom || unwound != 2 || len(c.live) != 0 || len(c.due) != 0 {
			t.Errorf("%s: got %v, %d actors of 2 were unwound, %d live, %d due", name, err, unwound, len(c.live), len(c.due))
		}
		c.Go(func() { c.Sleep(time.Second); unwound = 0 })
		if err := c.Run(); err != nil || unwound != 0 {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
}

func TestClockLeavesNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, last := range []func(c *Clock){
		func(*Clock) {},
		func(c *Clock) { c.Wait(time.Time{}, c.NewSignal()) },
		func(c *Clock) { c.fail(errors.New("boom")) },
	} {
		c := NewClock(epoch)
		for range 20 {
			c.Go(func() { c.Sleep(time.Second) })
		}
		c.Go(func() { c.Sleep(time.Minute); last(c) })
		_ = c.Run()
	}
	for range 1000 { // those that waited for the last ones are about to end
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("there are %d goroutines, after %d", runtime.NumGoroutine(), before)
}
