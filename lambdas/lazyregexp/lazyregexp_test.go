package lazyregexp_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// TestItMatchesAsPackageRegexpDoes from many goroutines at once, as its first use may be.
func TestItMatchesAsPackageRegexpDoes(t *testing.T) {
	const pattern = `([a-z]{1,3})([0-9]+)`
	want, lazy := regexp.MustCompile(pattern), lazyregexp.New(pattern)
	var all sync.WaitGroup
	for _, text := range []string{"", "abc", "abc1", "x1 y2 zz33", "ABC1"} {
		all.Go(func() {
			if got := lazy.MatchString(text); got != want.MatchString(text) {
				t.Errorf("MatchString(%q) = %t", text, got)
			}
			if diff := cmp.Diff(want.FindStringSubmatch(text), lazy.FindStringSubmatch(text)); diff != "" {
				t.Errorf("FindStringSubmatch(%q) (-want +got):\n%s", text, diff)
			}
			for _, n := range []int{-1, 1} {
				if diff := cmp.Diff(want.FindAllString(text, n), lazy.FindAllString(text, n)); diff != "" {
					t.Errorf("FindAllString(%q, %d) (-want +got):\n%s", text, n, diff)
				}
			}
			if got := lazy.ReplaceAllString(text, "$2$1"); got != want.ReplaceAllString(text, "$2$1") {
				t.Errorf("ReplaceAllString(%q) = %q", text, got)
			}
			if got := lazy.ReplaceAllStringFunc(text, strings.ToUpper); got != want.ReplaceAllStringFunc(text, strings.ToUpper) {
				t.Errorf("ReplaceAllStringFunc(%q) = %q", text, got)
			}
		})
	}
	all.Wait()
}

func TestAnInvalidPatternPanicsWhenItIsUsed(t *testing.T) {
	bad := lazyregexp.New("(")
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	bad.MatchString("")
}
