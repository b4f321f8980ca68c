package asl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// seeds are valid definitions with something of everything, to mutate.
func seeds() []string {
	return []string{
		machine(retryTask),
		machine(`"A":{"Type":"Task","Resource":"fn:F","TimeoutSeconds":7,"InputPath":"$.a","Parameters":{"k":[1,{"x.$":"$.b"}],"id.$":"$$.Execution.Id"},
			"ResultSelector":{"r.$":"$"},"ResultPath":"$.a.r","OutputPath":"$","Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2,"JitterStrategy":"FULL"}],
			"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"F"}],"Next":"W"},
			"W":{"Type":"Wait","SecondsPath":"$.s","Next":"T"},"T":{"Type":"Wait","TimestampPath":"$.t","Next":"C"},
			"C":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","IsPresent":true},{"Not":{"Variable":"$.b","NumericLessThan":2}}],"Next":"P"},
				{"Or":[{"Variable":"$.s","StringMatches":"x*"},{"Variable":"$.t","TimestampEqualsPath":"$.t"}],"Next":"S"}],"Default":"F"},
			"P":{"Type":"Pass","Result":{"z":[]},"ResultPath":"$.a","Next":"A"},
			"S":{"Type":"Succeed","OutputPath":null},
			"F":{"Type":"Fail","ErrorPath":"States.Format('{}: {}', $.a, $$.State.Name)","CausePath":"States.JsonToString(States.StringToJson($.b))"}`),
		machine(`"A":{"Type":"Task","Resource":"nested","TimeoutSeconds":15,"Parameters":{"StateMachineArn.$":"$$.StateMachine.Id","Name.$":"$$.State.Name","Input":{"a.$":"$.a","b":"[3]","s":1}},
			"Retry":[{"ErrorEquals":["X"],"MaxAttempts":1}],"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"W"}],"OutputPath":"$.Output","Next":"W"},
			"W":{"Type":"Wait","Seconds":7,"Next":"S"},"S":{"Type":"Succeed"}`),
	}
}

// words are what keys and strings of mutations are made of.
func words() []string {
	all := []string{"", "$", "$$", "$.a", "$.b[0]", "$.a.b", "$['x']", "$..a", "a", "b", "e", "s", "t", "x.$", "a.$", "A", "B", "W", "S", "F", arn("F"),
		"2030-01-31T12:00:05Z", "FULL", "X", "States.ALL", "States.TaskFailed", "States.Timeout", "States.Runtime",
		"States.Format('{}', $.a)", "States.Format('{}')", "States.StringToJson($.b)", "States.JsonToString($)", "States.ArrayPartition($.b, $.a)", "States.JsonMerge($, $.a, false)", "States.MathAdd($.a, $.b)", "States.StringSplit($.b, $.a)", "$.b[*]", "$.*[0:1]", "$$.State.RetryCount", "$$.Execution.Input.a",
		"StringEquals", "NumericGreaterThanEqualsPath", "BooleanEquals", "IsNull", "Seconds", "Timestamp", "Cause", "Error", "Comment", "Result", "Assign", "*\\*"}
	for _, text := range seeds() {
		v, _ := parseJSON([]byte(text))
		walk(v, func(v any) {
			if o, ok := v.(*object); ok {
				for _, m := range o.members {
					all = append(all, m.key)
				}
			}
		})
	}
	return all
}

// walk visits a value and all that is in it.
func walk(v any, visit func(any)) {
	visit(v)
	switch v := v.(type) {
	case *object:
		for _, m := range v.members {
			walk(m.value, visit)
		}
	case []any:
		for _, element := range v {
			walk(element, visit)
		}
	}
}

// anyValue draws JSON of the words.
func anyValue(words []string, depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.SampledFrom([]any{nil, true, false, number("0"), number("1"), number("-1"), number("2.50"), number("1e400"), number("99999999")}),
		rapid.Map(rapid.SampledFrom(words), func(s string) any { return s }),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return anyValue(words, depth-1) })
	return rapid.OneOf(append(scalars,
		rapid.Map(rapid.SliceOfN(inner, 0, 3), func(list []any) any { return append([]any{}, list...) }),
		rapid.Custom(func(t *rapid.T) any {
			o := &object{}
			for range rapid.IntRange(0, 4).Draw(t, "members") {
				o.add(rapid.SampledFrom(words).Draw(t, "key"), inner.Draw(t, "value"))
			}
			return o
		}))...)
}

// mutate returns v with a random change somewhere.
func mutate(t *rapid.T, v any, words []string) any {
	if rapid.IntRange(0, 9).Draw(t, "deeper") > 0 {
		switch v := v.(type) {
		case *object:
			if len(v.members) > 0 {
				i := rapid.IntRange(0, len(v.members)-1).Draw(t, "member")
				return v.with(v.members[i].key, mutate(t, v.members[i].value, words))
			}
		case []any:
			if len(v) > 0 {
				i := rapid.IntRange(0, len(v)-1).Draw(t, "element")
				list := append([]any(nil), v...)
				list[i] = mutate(t, list[i], words)
				return list
			}
		}
	}
	if o, ok := v.(*object); ok && len(o.members) > 0 && rapid.Bool().Draw(t, "edit") {
		if rapid.Bool().Draw(t, "add") {
			return o.with(rapid.SampledFrom(words).Draw(t, "key"), anyValue(words, 1).Draw(t, "value"))
		}
		out := rapid.IntRange(0, len(o.members)-1).Draw(t, "out")
		c := &object{}
		for i, m := range o.members {
			if i != out {
				c.add(m.key, m.value)
			}
		}
		return c
	}
	return anyValue(words, 2).Draw(t, "replacement")
}

// Whatever the definition, the input and the answers: no panic, an end, and a
// sound history.
func TestNothingPanics(t *testing.T) {
	words := words()
	statuses := map[Status]int{}
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(words, 4).Draw(t, "definition")
		if rapid.IntRange(0, 9).Draw(t, "mutant") > 0 {
			v, _ = parseJSON([]byte(rapid.SampledFrom(seeds()).Draw(t, "seed")))
			for range rapid.IntRange(0, 2).Draw(t, "mutations") {
				v = mutate(t, v, words)
			}
		}
		d, err := Parse(appendJSON(nil, v))
		if err != nil {
			statuses["refused"]++
			return
		}
		c := NewClock(epoch)
		var h History
		input := value0(t, words, "input")
		options := Options{Clock: c, Input: input,
			Invoke: func(context.Context, string, json.RawMessage) (json.RawMessage, error) {
				c.Sleep(time.Duration(rapid.IntRange(0, 20).Draw(t, "took")) * time.Second)
				if rapid.Bool().Draw(t, "fails") {
					return nil, &TaskError{Name: rapid.SampledFrom(words).Draw(t, "error")}
				}
				return value0(t, words, "answer"), nil
			}}
		depth := 0
		options.StartExecution = func(s StartExecution) (*Execution, error) {
			c.Sleep(time.Duration(rapid.IntRange(0, 5).Draw(t, "took")) * time.Second)
			if depth++; depth > 3 || rapid.Bool().Draw(t, "refused") {
				return nil, &TaskError{Name: rapid.SampledFrom(words).Draw(t, "error")}
			}
			o := options
			o.Input = s.Input
			return d.Start(o)
		}
		o := options
		o.OnEvent = h.Record
		e, err := d.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		r := e.Result()
		statuses[r.Status]++
		if r.Status == Running || r.Events > MaxEvents || int64(len(h)) != r.Events || r.Stop.Sub(r.Start) > MaxDuration {
			t.Fatalf("%+v", r)
		}
		for _, event := range h {
			if text, err := json.Marshal(event); err != nil || len(event.Input) > 0 && !json.Valid(event.Input) || len(event.Output) > 0 && !json.Valid(event.Output) {
				t.Fatalf("%s: %v", text, err)
			}
		}
		if got := appendJSON(nil, e.input.value); !bytes.Equal(got, input) {
			t.Fatalf("the input %s was changed to %s", input, got)
		}
	})
	t.Log(statuses)
}

// value0 draws a JSON text that may look like the seeds' data.
func value0(t *rapid.T, words []string, label string) json.RawMessage {
	v := anyValue(words, 2).Draw(t, label)
	if rapid.Bool().Draw(t, "fitting") {
		o := newObject("a", &object{}, "b", "[1,2]", "s", number("3"), "t", "2030-01-31T12:00:20Z")
		v = o.with(rapid.SampledFrom([]string{"a", "b", "s", "t"}).Draw(t, "member"), v)
	}
	return appendJSON(nil, v)
}

// The reader takes exactly what encoding/json takes and reads the same from it.
func TestJSONAgreesWithTheStandardLibrary(t *testing.T) {
	fragments := []string{"{", "}", "[", "]", ",", ":", `"`, `\`, "true", "fals", "e", "null", "0", "1", "-", ".", "E+", "e", " ", "\n", "\x00", "é", "\xff", `\u00`, `e9`, `\ud83d`, `\ude00`, `"k":`, `"a"`, "1.50"}
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments), 1, 12).Draw(t, "fragments"), ""))
		if rapid.Bool().Draw(t, "tree") {
			text = appendJSON(nil, anyValue(fragments, 3).Draw(t, "value"))
			if rapid.Bool().Draw(t, "cut") {
				i := rapid.IntRange(0, len(text)).Draw(t, "at")
				text = append(append(append([]byte{}, text[:i]...), rapid.SampledFrom(fragments).Draw(t, "insert")...), text[i:]...)
			}
		}
		agree(t, text)
	})
	for _, text := range []string{"0", "-0", "01", "-", "1.", ".1", "1e", "1E+05", "+1", "0x1", "\"\x01\"", "\"\x1f\"", `"\u0001\u001f\n\/\""`, `"\x"`, `"\u12"`,
		`"\ud800"`, "\"\xff\"", "nul", "nulll", "{}", "{,}", `{"a":1,}`, `{"a"}`, `{"a":1 "b":2}`, "[1,]", "[", `"`, `"\`, "", " ", "1 1", "\u00a01", "{\"a\":[{}]}"} {
		agree(t, []byte(text))
	}
	many := []byte(`{"k":0`) // enough members for an index
	for i := range 50 {
		many = fmt.Appendf(many, `,"k%d":%d`, i%40, i)
	}
	agree(t, append(many, '}'))
}

func agree(t rapid.TB, text []byte) {
	t.Helper()
	v, err := parseJSON(text)
	if valid := json.Valid(text); valid != (err == nil) {
		t.Errorf("%q: valid %v, but %v", text, valid, err)
		return
	}
	if err != nil {
		return
	}
	if diff := cmp.Diff(standard(t, text), standard(t, appendJSON(nil, v))); diff != "" {
		t.Errorf("%q (-want +got):\n%s", text, diff)
	}
}

func standard(t rapid.TB, text []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

func TestJSONDepth(t *testing.T) {
	for depth, ok := range map[int]bool{maxDepth: true, maxDepth + 1: false, 1 << 20: false} {
		text := strings.Repeat("[", depth) + "0" + strings.Repeat("]", depth)
		if _, err := parseJSON([]byte(text)); (err == nil) != ok {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

// Any words at all as paths and expressions.
func TestPathsAndCallsNeverPanic(t *testing.T) {
	pieces := append(strings.Split(`$ . [ ] ( ) ' " \ , * ? @ : 0 1 - a é { } States.Format( States.JsonToString( States.Array( States.ArrayRange( States.StringSplit( true`, " "), " ", "\x80")
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), "")
		if p, err := parsePath(text); err == nil && p.text != text {
			t.Fatalf("%q was read as %q", text, p.text)
		}
		if x, err := parseExpr(text); err == nil {
			_, _ = x.eval(scope{input: newObject("a", []any{nil}), execution: &Execution{}}, "")
		}
		_ = wildcardMatch(text, strings.Repeat("a", 5))
	})
}
