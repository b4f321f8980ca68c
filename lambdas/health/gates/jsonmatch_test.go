package gates_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// anyJSON draws a document: texts, numbers, truth, null, and lists and objects of such.
func anyJSON() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Map(rapid.StringN(0, 5, -1), func(s string) any { return s }),
		rapid.Map(rapid.IntRange(-1000, 1000), func(n int) any { return json.Number(strconv.Itoa(n)) }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil))
	level := leaf
	for range 3 {
		inner := level
		level = rapid.OneOf(leaf,
			rapid.Map(rapid.SliceOfN(inner, 0, 3), func(list []any) any { return list }),
			rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z <]{1,3}`), inner, 0, 3), func(fields map[string]any) any { return fields }))
	}
	return level
}

// smaller leaves out fields of the document's objects, and writes its numbers in other ways.
func smaller(t *rapid.T, value any) any {
	switch value := value.(type) {
	case map[string]any:
		fields := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if rapid.Bool().Draw(t, "keep") {
				fields[name] = smaller(t, value[name])
			}
		}
		return fields
	case []any:
		list := make([]any, len(value))
		for i := range value {
			list[i] = smaller(t, value[i])
		}
		return list
	case json.Number:
		n := value.String()
		forms := []string{n, n + ".0", n + "e0", n + ".00E+0"}
		if n != "0" { // 00 is no number
			forms = append(forms, n+"0e-1", n+"00E-02")
		}
		return json.Number(rapid.SampledFrom(forms).Draw(t, "number"))
	}
	return value
}

// other changes one thing in the document that matters to who expects it.
func other(t *rapid.T, value any) any {
	switch value := value.(type) {
	case map[string]any:
		fields := maps.Clone(value)
		if len(fields) == 0 || rapid.Bool().Draw(t, "one more") {
			fields["not there"] = nil
			return fields
		}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(value))).Draw(t, "field")
		fields[name] = other(t, value[name])
		return fields
	case []any:
		list := slices.Clone(value)
		if len(list) == 0 || rapid.Bool().Draw(t, "longer") {
			return append(list, nil)
		}
		i := rapid.IntRange(0, len(list)-1).Draw(t, "element")
		list[i] = other(t, list[i])
		return list
	case json.Number:
		return json.Number(rapid.SampledFrom([]string{"1001", "0.5", "-1e-9"}).Draw(t, "number")) // none of those above
	case string:
		return value + "x"
	case bool:
		return !value
	}
	return false
}

// leaves are all paths into a document and what is there.
func leaves(value any, at string, found map[string]any) map[string]any {
	found[at] = value
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			leaves(inner, at+"['"+name+"']", found)
		}
	case []any:
		for i, inner := range value {
			leaves(inner, fmt.Sprintf("%s[%d]", at, i), found)
		}
	}
	return found
}

func text(t rapid.TB, value any) json.RawMessage {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// judged is a probe's reading of an answer.
func judged(t rapid.TB, probe rollout.Probe, answer json.RawMessage) string {
	t.Helper()
	probe.Name, probe.Count, probe.Concurrency, probe.Timeout = "p", 1, 1, 1
	got, err := gates.NewProbe(probe, known, leaky{answer: string(answer)}, gates.RunParallel).Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return string(got.Status) + " " + got.Reason
}

func TestAnAnswerMayHaveMoreThanIsExpected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := anyJSON().Draw(t, "answer")
		expect := smaller(t, answer)
		if got := judged(t, rollout.Probe{Expect: text(t, expect)}, text(t, answer)); got != "pass answered as expected" {
			t.Fatalf("%s contains %s: %s", text(t, answer), text(t, expect), got)
		}
	})
}

func TestAnAnswerMustHaveAllThatIsExpected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := anyJSON().Draw(t, "answer")
		expect := other(t, smaller(t, answer))
		if got := judged(t, rollout.Probe{Expect: text(t, expect)}, text(t, answer)); !strings.HasPrefix(got, "fail answered ") {
			t.Fatalf("%s does not contain %s: %s", text(t, answer), text(t, expect), got)
		}
	})
}

func TestWhatIsAtAPathMustBeEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := anyJSON().Draw(t, "answer")
		all := leaves(answer, "$", map[string]any{})
		path := rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(t, "path")
		equal, changed := all[path], other(t, all[path])
		for _, c := range []struct {
			path   string
			value  any
			passes bool
		}{{path, equal, true}, {path, changed, false}, {path + ".none", equal, false}, {path + "[9]", equal, false}} {
			probe := rollout.Probe{Equals: map[string]json.RawMessage{c.path: text(t, c.value)}}
			if got := judged(t, probe, text(t, answer)); strings.HasPrefix(got, "pass") != c.passes {
				t.Fatalf("%s in %s equal to %s: %s", c.path, text(t, answer), text(t, c.value), got)
			}
		}
		// What has more fields is not equal.
		if fields, ok := equal.(map[string]any); ok && len(fields) > 0 {
			less := maps.Clone(fields)
			delete(less, slices.Sorted(maps.Keys(less))[0])
			if got := judged(t, rollout.Probe{Equals: map[string]json.RawMessage{path: text(t, less)}}, text(t, answer)); !strings.HasPrefix(got, "fail") {
				t.Fatalf("%s in %s equal to %s: %s", path, text(t, answer), text(t, less), got)
			}
		}
	})
}

func TestNumbersAreComparedExactly(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"0", "-0.00e7", true}, {"100", "1e2", true}, {"0.1", "1E-1", true}, {"-12.50", "-1.25e+1", true},
		{"9007199254740993", "9007199254740992", false}, {"0.1", "0.10000000000000001", false}, {"1", "-1", false}, {"1", "10", false},
		{"1e999999999999999999999", "10e999999999999999999998", true}, {"1e999999999999999999999", "1e-999999999999999999999", false}, {"1e400", "1e401", false},
	} {
		got := judged(t, rollout.Probe{Expect: json.RawMessage(test.a)}, json.RawMessage(test.b))
		if strings.HasPrefix(got, "pass") != test.same {
			t.Errorf("%s and %s: %s", test.a, test.b, got)
		}
	}
}

// TestReasonsAreShort, on one line, and without what controls a terminal or turns the writing round.
func TestReasonsAreShort(t *testing.T) {
	deep := strings.Repeat(`{"a long name of a field":`, 500) + "1" + strings.Repeat("}", 500)
	for _, probe := range []rollout.Probe{
		{Expect: json.RawMessage(strings.Replace(deep, "1", "2", 1))},
		{Expect: json.RawMessage(`["` + strings.Repeat("x", 10000) + `"]`)},
		{Equals: map[string]json.RawMessage{"$" + strings.Repeat("['a long name of a field']", 9): json.RawMessage(`"` + strings.Repeat("x", 10000) + `"`)}},
	} {
		if got := judged(t, probe, json.RawMessage(deep)); len([]rune(got)) > 600 || !strings.HasPrefix(got, "fail") {
			t.Errorf("%d characters: %s", len([]rune(got)), got)
		}
	}
	got := judged(t, rollout.Probe{Expect: json.RawMessage("1")}, json.RawMessage("a\x00b\r\nc\u202ed\u200be\xfff\x7fg\u009bh"))
	if got != "fail answered ab  cdefgh, which is not JSON" {
		t.Errorf("%q", got)
	}
}
