package strictjson

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type inner struct {
	Flag bool   `json:"flag"`
	Word string `json:"word,omitempty"`
}

type embedded struct {
	Texts map[string]string `json:"texts" given:"-"`
}

type outer struct {
	Number  float64          `json:"number"`
	Whole   int              `json:"whole"`
	Small   *int32           `json:"small,omitempty"`
	Text    *string          `json:"text,omitempty"`
	Inner   inner            `json:"inner"`
	Pointer *inner           `json:"pointer"`
	List    []inner          `json:"list"`
	ByName  map[string]inner `json:"by-name"`
	Any     json.RawMessage  `json:"any"`
	Hidden  int              `json:"-"`
	embedded
}

func TestEverythingThatIsWrongIsReportedAtOnce(t *testing.T) {
	for _, test := range []struct {
		given string
		want  []string
	}{
		{`{}`, nil},
		{`{"number": -1.5e3, "whole": 6e1, "small": 7.0, "text": "", "inner": {"flag": true}, "list": [], "any": null, "texts": {"": ""}}`, nil},
		{`{"any": [1e400, {"a": 1, "b": {"a": "a"}}, "a", "a"]}`, nil},
		{`[]`, []string{`$ must be an object; given: []`}},
		{`null`, []string{`$ must be an object; given: null`}},
		{``, []string{`$ must be one JSON object; line 1, column 1: unexpected end of JSON input`}},
		{"{\n  \"number\": 01}", []string{`$ must be one JSON object; line 2, column 14: invalid character '1' after object key:value pair`}},
		{`{} {}`, []string{`$ must be one JSON object; line 1, column 4: invalid character '{' after top-level value`}},
		{"\uFEFF{}", []string{`$ must be JSON without a byte order mark`}},
		{"{\"text\": \"\xff\"}", []string{`$ must be JSON in UTF-8`}},
		{`{"number": "1", "whole": 1.5, "small": null, "inner": [], "pointer": null, "list": {}, "by-name": 1}`, []string{
			`number must be a number, without quotes; given: "1"`, `whole must be a whole number, without quotes; given: 1.5`,
			`small must be a whole number, without quotes, or be left out; given: null`, `inner must be an object; given: []`,
			`pointer must be an object, or be left out; given: null`, `list must be a list; given: {}`, `by-name must be an object; given: 1`}},
		{`{"list": [{"flag": "true"}, {"flag": 0}, 7], "by-name": {"https://a/": {"word": ""}}}`, []string{
			`list[0].flag must be true or false, without quotes; given: "true"`, `list[1].flag must be true or false, without quotes; given: 0`,
			`list[2] must be an object; given: 7`, `by-name["https://a/"].word must not be empty: leave it out instead; given: ""`}},
		{`{"Number": 1, "numbr": 1, "hidden": 1, "Hidden": 1, "": 1}`, []string{
			`Number is not a known field (did you mean "number"?); given: 1`, `numbr is not a known field (did you mean "number"?); given: 1`,
			`hidden is not a known field; known are number, whole, small, text, inner, pointer, list, by-name, any, texts; given: 1`,
			`Hidden is not a known field; known are number, whole, small, text, inner, pointer, list, by-name, any, texts; given: 1`,
			`[""] is not a known field; known are number, whole, small, text, inner, pointer, list, by-name, any, texts; given: 1`}},
		{`{"number": 1, "n\u0075mber": 2, "by-name": {"a": {}, "a": {}}}`, []string{`number is given twice; given: 2`, `by-name.a is given twice; given: {}`}},
		{`{"any": {"a": [{"b": 1, "c": 2, "b": 3}]}}`, []string{`any must not have the name "b" twice in one object; given: {"a": [{"b": 1, "c": 2, "b": 3}]}`}},
		{`{"texts": {"a": ["hunter2"], "a": "hunter2"}}`, []string{`texts.a must be a string`, `texts.a is given twice`}},
		{`{"texts": {}, "texts": {"a": "hunter2"}, "text ": 1, "Texts": {"a": "hunter2"}}`, []string{`texts is given twice`,
			`["text "] is not a known field (did you mean "text"?)`, `Texts is not a known field (did you mean "texts"?)`}},
	} {
		var got []string
		for _, p := range Read([]byte(test.given), &outer{}).Problems {
			got = append(got, p.Error())
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.given, diff)
		}
	}
}

func TestWhatIsRightIsRead(t *testing.T) {
	small, got := int32(7), outer{Number: 3, Whole: 4}
	read := Read([]byte(`{"number": "x", "whole": 6e1, "small": 7.0, "list": [{"flag": true}, 5, {"word": "w"}], "any": {"b": 1.50, "a": "<&>"}, "unknown": 1, "texts": {"k": "v"}}`), &got)
	want := outer{Number: 3, Whole: 60, Small: &small, List: []inner{{Flag: true}, {}, {Word: "w"}}, Any: json.RawMessage(`{"b": 1.50, "a": "<&>"}`)}
	want.Texts = map[string]string{"k": "v"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outer{}, embedded{})); diff != "" {
		t.Error(diff)
	}
	for path, spoilt := range map[string]bool{"number": true, "whole": false, "list": true, "list[1]": true, "list[1].flag": true, "list[0]": false, "num": false} {
		if read.Spoilt(path) != spoilt {
			t.Errorf("%s is spoilt: %v", path, !spoilt)
		}
	}
	if read.Given("whole") != "6e1" || read.Given("texts.k") != "" {
		t.Errorf("given: %q, %q", read.Given("whole"), read.Given("texts.k"))
	}
}

// TestNumbersBeyondTheirTypeAreItsLargest so that the caller's range refuses them.
func TestNumbersBeyondTheirTypeAreItsLargest(t *testing.T) {
	var got outer
	if read := Read([]byte(`{"number": -1e999, "whole": 1e30, "small": -1e999}`), &got); read.Problems != nil {
		t.Fatal(read.Problems)
	}
	if got.Number > -1.7e308 || got.Whole != 1<<53-1 || *got.Small != -1<<31+1 {
		t.Errorf("read %v, %v, %v", got.Number, got.Whole, *got.Small)
	}
}

// TestDeepAndWideTextsEnd in good time.
func TestDeepAndWideTextsEnd(t *testing.T) {
	for _, text := range []string{
		`{"any": ` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}`,
		strings.Repeat(`{"any": `, 20000),
		`{` + strings.Repeat(`"x": 1, `, 20000) + `"y": 1}`,
	} {
		Read([]byte(text), &outer{})
	}
}

// FuzzRead holds what is read without problems to encoding/json.
func FuzzRead(f *testing.F) {
	f.Add(`{"number": 1, "whole": 2, "inner": {"flag": true}, "list": [{}], "by-name": {"a": {}}, "any": null}`)
	f.Add(`{"number": 1e999, "any": {"a": 1, "a": 2}, "Number": 1}`)
	f.Fuzz(func(t *testing.T, text string) {
		var ours, theirs outer
		if read := Read([]byte(text), &ours); read.Problems != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is taken", text)
		}
		if json.Unmarshal([]byte(text), &theirs) == nil && !cmp.Equal(ours, theirs, cmp.AllowUnexported(outer{}, embedded{})) {
			t.Errorf("%q is read as %+v, by encoding/json as %+v", text, ours, theirs)
		}
	})
}
