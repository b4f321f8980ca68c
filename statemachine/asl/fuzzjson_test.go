package asl

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// FuzzJSON: what is JSON is what encoding/json takes for it, with the same
// values, read at once or where it is entered.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`null`, ` [1, -0, 1.50, 1e400, 01, +1, .5, 1., 1e]`, `{"a": {"b": [{"c": "\u00e9\ud83d\ude80\ud800"}]}, "a": 2}`, `"\x"`, "\"\xff\xc3\"", "\"\x01\"", `{"a" 1}`, `[1,]`, `{"a":1,}`, `tru`, `{} {}`,
		"\ufeff{}", strings.Repeat("[", 1000), strings.Repeat("[", 900) + strings.Repeat("]", 900), `{"":{"":{"":{"":""}}}}`, "\u2028", `[[[[{"a":1,"a":[2]}]]]]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		value, err := parseJSON(text)
		lazy, lazyErr := readJSON(text)
		if (err == nil) != (lazyErr == nil) {
			t.Fatalf("%v, but lazily %v", err, lazyErr)
		}
		if err != nil {
			if json.Valid(text) && !strings.Contains(err.Error(), "nests deeper") {
				t.Fatalf("it is JSON: %v", err)
			}
			return
		}
		equal(t, value, lazy)
		var want, got any
		for _, read := range []struct {
			text []byte
			into *any
		}{{text, &want}, {appendJSON(nil, value), &got}} {
			decoder := json.NewDecoder(bytes.NewReader(read.text))
			decoder.UseNumber()
			if err := decoder.Decode(read.into); err != nil {
				t.Fatalf("%s: %v", read.text, err)
			}
		}
		if !json.Valid(text) || !reflect.DeepEqual(want, got) {
			t.Errorf("it is %#v, and read as %#v", want, got)
		}
	})
}
