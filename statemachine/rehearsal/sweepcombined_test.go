package rehearsal

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

var (
	combinations = flag.Int("combinations", 5000, "how many combinations of disturbances are tried: as many single ones as triples, and twice as many pairs")
	seed         = flag.Int("seed", 1, "the seed of the first combination of each size; the next has the next")
)

// combination is a rollout with some disturbances.
type combination struct {
	subject      subject
	deliveries   int
	disturbances []disturbance
	kinds        []string
}

func (c combination) String() string {
	var names []string
	for _, d := range c.disturbances {
		names = append(names, d.name)
	}
	return fmt.Sprintf("%s, the event delivered %d times: %s", c.subject.name, c.deliveries, strings.Join(names, " + "))
}

// only is the combination with some of its disturbances.
func (c combination) only(kept []int) combination {
	all := c
	c.disturbances, c.kinds = nil, nil
	for _, i := range kept {
		c.disturbances, c.kinds = append(c.disturbances, all.disturbances[i]), append(c.kinds, all.kinds[i])
	}
	return c
}

// combiner draws combinations and tries them.
type combiner struct {
	subjects []subject
	plain    map[string]*observed // by the subject's name: undisturbed
	workflow *trial               // what all trials have in common
	// only are the names of the kinds that are drawn; nil for all.
	only []string
}

func newCombiner(t testing.TB) *combiner {
	t.Helper()
	workflow, err := definition(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	c := &combiner{subjects: worlds(), plain: map[string]*observed{}, workflow: &trial{workflow: workflow, template: deployedTemplate(t)}}
	for _, s := range c.subjects {
		if c.plain[s.name], err = c.trial(combination{subject: s, deliveries: 1}).try(); err != nil {
			t.Fatalf("%s, undisturbed: %v", s.name, err)
		}
	}
	return c
}

// trial is a combination as a trial.
func (c *combiner) trial(of combination) trial {
	t := *c.workflow
	t.subject, t.deliveries, t.harmless = of.subject, of.deliveries, len(of.disturbances) == 0 || len(of.disturbances) == 1 && of.disturbances[0].harmless
	t.combined = len(of.disturbances) > 1
	t.disturb = func(o *observed) {
		for _, d := range of.disturbances {
			d.install(o)
		}
	}
	return t
}

// draw draws combinations of so many disturbances.
func (c *combiner) draw(size int) *rapid.Generator[combination] {
	return rapid.Custom(func(t *rapid.T) combination {
		all := combination{subject: oneOf(t, c.subjects), deliveries: oneOf(t, deliveries)}
		for range size {
			fit := slices.DeleteFunc(kinds(), func(k kind) bool {
				return k.workflow && all.subject.simple || k.once && slices.Contains(all.kinds, k.name) || c.only != nil && !slices.Contains(c.only, k.name)
			})
			if len(fit) == 0 {
				break
			}
			k := oneOf(t, fit)
			all.kinds = append(all.kinds, k.name)
			all.disturbances = append(all.disturbances, k.draw(t, c.plain[all.subject.name]))
		}
		return all
	})
}

// try tries a combination. A panic of a function, or of the rehearsal, is an end
// like any other that is wrong.
func (c *combiner) try(of combination) (o *observed, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %.600s", failedToRun, fmt.Sprint(r))
		}
	}()
	return c.trial(of).try()
}

// kindsOf are the kinds of what is wrong, each once.
func kindsOf(err error) []string {
	var all []string
	var w wrong
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			if errors.As(one, &w) && !slices.Contains(all, w.kind) {
				all = append(all, w.kind)
			}
		}
	} else if err != nil {
		all = []string{failedToRun}
	}
	return all
}

// failedToRun is the kind of what is wrong if the rehearsal itself failed.
const failedToRun = "the rehearsal failed"

// failure is a combination that ended wrongly.
type failure struct {
	seed int
	combination
	err error
}

// TestCombinations tries combinations of disturbances that are drawn. One that ends
// wrongly is made as small as can be. Its seed draws it again:
// go test ./statemachine/rehearsal -run TestCombinations -combinations 1 -seed <seed>.
func TestCombinations(t *testing.T) {
	t.Parallel()
	c := newCombiner(t)
	for i, size := range []string{"single", "pairs", "triples"} {
		t.Run(size, func(t *testing.T) {
			start, cases := time.Now(), max(1, *combinations*[]int{1, 2, 1}[i]/4)
			failures := c.tryAll(i+1, *seed, cases)
			split, notified := 0, 0
			for _, f := range failures {
				if slices.Contains(kindsOf(f.err), leftSplit) {
					split++
				}
				if slices.Contains(kindsOf(f.err), wrongNotice) {
					notified++
				}
			}
			for _, f := range c.smallest(i+1, failures) {
				t.Errorf("seed %d: %s\n%v", f.seed, f.combination, shortened(f.err))
			}
			t.Logf("%s: %d cases, %d wrong, %d aliases left split, %d wrongly notified, seed %d, %s",
				size, cases, len(failures), split, notified, *seed, time.Since(start).Round(time.Millisecond))
		})
	}
}

// long is the description that rollouts start from, or what is left of it.
var long = regexp.MustCompile(`Serves everybody\. Serves [^"…]*…?`)

// shortened leaves that out.
func shortened(err error) string { return long.ReplaceAllString(err.Error(), "…") }
