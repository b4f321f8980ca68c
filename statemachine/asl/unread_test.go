package asl

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// Data that is read only where it is entered is the same data: in its text, in
// what paths find in it, and in what is refused.
func TestUnreadDataIsTheSame(t *testing.T) {
	words := append(words(), "é", "\\u00e9", "</", "\n\"", "\b", "\u2028", "k", "k1")
	unreads := 0
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(anyValue(words, 4), 1, 5).Draw(t, "list")
		text := appendJSON(nil, newObject("a", list, "b", list[0]))
		similar := rapid.SampledFrom([]*object{nil, newObject("a", list, "b", list[0]), newObject("b", list[0], "a", list),
			newObject("a", list[0], "b", list)}).Draw(t, "similar")
		if similar != nil {
			read, _ := readJSON(appendJSON(nil, similar))
			similar = read.(*object)
		}
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0: // written in another way
			var v any
			if err := json.Unmarshal(text, &v); err == nil {
				text, _ = json.Marshal(v)
			}
		case 1: // broken, spaced, repeated
			i := rapid.IntRange(0, len(text)).Draw(t, "at")
			insert := rapid.SampledFrom([]string{" ", ",", `"k":1,`, "]", "\\", "\xff", "0", "\x01", `{"k":[],"k":[1]}`}).Draw(t, "insert")
			text = append(append(append([]byte{}, text[:i]...), insert...), text[i:]...)
		}
		want, err := parseJSON(text)
		got, lazyErr := readLazily(string(text), similar)
		if (err == nil) != (lazyErr == nil) {
			t.Fatalf("%q: %v, but lazily %v", text, err, lazyErr)
		}
		if err == nil {
			unreads += equal(t, want, got)
		}
	})
	for _, text := range []string{`{"a":{"k":1,"l":[],"k":2}}`, `{"a":[{"k":[1],"k":{}}]}`} {
		want, _ := parseJSON([]byte(text))
		got, _ := readJSON([]byte(text))
		equal(t, want, got)
	}
	if t.Logf("%d values stayed unread at first", unreads); unreads < 100 {
		t.Error("too few")
	}
}

// equal compares a value that was read with one that may not be, level by
// level, and returns how many parts of it were not.
func equal(t rapid.TB, want, got any) (unreads int) {
	text := string(appendJSON(nil, want))
	if before := string(appendJSON(nil, got)); before != text {
		t.Fatalf("%s is written as %s", text, before)
	}
	if _, ok := got.(*unread); ok {
		unreads++
	}
	switch want := want.(type) {
	case *object:
		for _, m := range want.members {
			v, ok := step{member: m.key, element: -1}.get(got)
			if !ok {
				t.Fatalf("%s lacks %q", text, m.key)
			}
			unreads += equal(t, m.value, v)
		}
	case []any:
		for i := range want {
			v, _ := step{element: i}.get(got)
			unreads += equal(t, want[i], v)
		}
	}
	if after := string(appendJSON(nil, opened(got))); after != text {
		t.Fatalf("%s is written as %s once it was entered", text, after)
	}
	return unreads
}

// A member is the same whether the others are read or not, however often it is looked up.
func TestMembersOfUnreadObjects(t *testing.T) {
	words := append(words(), "é", "a\"", "\\", "\n", "{", "],", "", "\u2028", "\x01")
	value := anyValue(words, 3)
	rapid.Check(t, func(t *rapid.T) {
		o := &object{}
		for range rapid.IntRange(0, 5).Draw(t, "members") {
			o.add(rapid.SampledFrom(words).Draw(t, "key"), value.Draw(t, "value"))
		}
		root, _ := readJSON(appendJSON(nil, []any{o, []any{o}}))
		for i, from := range root.([]any) {
			for range 2*mostFound + 1 {
				name := rapid.SampledFrom(words).Draw(t, "name")
				want, wanted := o.get(name)
				if i == 1 { // an array has no members
					want, wanted = nil, false
				}
				got, ok := step{member: name, element: -1}.get(from)
				if ok != wanted || string(appendJSON(nil, got)) != string(appendJSON(nil, want)) {
					t.Fatalf("%q of %s: %s, %v", name, appendJSON(nil, from), appendJSON(nil, got), ok)
				}
				if ok {
					equal(t, want, got)
				}
			}
		}
	})
}
