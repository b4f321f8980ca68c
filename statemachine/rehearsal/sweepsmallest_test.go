package rehearsal

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// tryAll tries so many combinations of a size on all cores, and returns those
// that end wrongly, in the order of their seeds.
func (c *combiner) tryAll(size, from, cases int) []failure {
	results := make([]failure, cases)
	draw := c.draw(size)
	OnAllCores(cases, func(i int) {
		of := draw.Example(from + i)
		_, err := c.try(of)
		results[i] = failure{from + i, of, err}
	})
	return slices.DeleteFunc(results, func(f failure) bool { return f.err == nil })
}

// shown is how many failures are made small, which takes shrinkTime each at most.
var shown = flag.Int("shown", 6, "how many failures of each size are made as small as can be, and shown")

const shrinkTime = 3 * time.Second

// smallest makes the first failure of each sort as small as can be: what is wrong,
// and the kinds of disturbances without which it is not, make a sort.
func (c *combiner) smallest(size int, failures []failure) []failure {
	var all []failure
	known := map[string]bool{}
	for _, f := range failures {
		if len(all) == *shown {
			break
		}
		kept := c.needed(f)
		sort := fmt.Sprint(kindsOf(f.err), f.only(kept).kinds)
		if !known[sort] {
			known[sort] = true
			all = append(all, c.shrink(size, f, kept))
		}
	}
	return all
}

// needed are the disturbances of a failure without which nothing of the sort is wrong.
func (c *combiner) needed(f failure) []int {
	var kept []int
	for i := range f.disturbances {
		kept = append(kept, i)
	}
	for i := range f.disturbances {
		fewer := slices.DeleteFunc(slices.Clone(kept), func(k int) bool { return k == i })
		if _, err := c.try(f.only(fewer)); slices.Equal(kindsOf(err), kindsOf(f.err)) {
			kept = fewer
		}
	}
	return kept
}

// shrink has rapid make smaller what was drawn, as long as the same is wrong.
func (c *combiner) shrink(size int, f failure, kept []int) failure {
	for name, value := range map[string]string{"rapid.seed": fmt.Sprint(f.seed), "rapid.checks": "1", "rapid.nofailfile": "true", "rapid.shrinktime": shrinkTime.String()} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	least, draw := f, c.draw(size)
	least.combination = f.only(kept)
	done := make(chan struct{})
	go func() { // which Check ends
		defer close(done)
		rapid.Check(&mute{}, func(t *rapid.T) {
			of := draw.Draw(t, "").only(kept)
			_, err := c.try(of)
			if err != nil && slices.Equal(kindsOf(err), kindsOf(f.err)) && slices.Equal(of.kinds, f.only(kept).kinds) {
				least.combination, least.err = of, err
				t.Fatal("the same is wrong")
			}
		})
	}()
	<-done
	return least
}

// mute is a test whose output is not read.
type mute struct {
	rapid.TB
	failed bool
}

func (m *mute) Helper()               {}
func (m *mute) Name() string          { return "combination" }
func (m *mute) Logf(string, ...any)   {}
func (m *mute) Log(...any)            {}
func (m *mute) Errorf(string, ...any) { m.failed = true }
func (m *mute) Error(...any)          { m.failed = true }
func (m *mute) Fail()                 { m.failed = true }
func (m *mute) Failed() bool          { return m.failed }
func (m *mute) FailNow()              { m.failed = true; runtime.Goexit() }
func (m *mute) Fatalf(string, ...any) { m.FailNow() }
