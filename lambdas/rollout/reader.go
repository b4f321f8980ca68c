package rollout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// reader reads the fields of a request, or of an object in it, one by one, and
// collects the problems with them. A field that is absent or wrong reads as its
// default.
type reader struct {
	fields   map[string]json.RawMessage
	prefix   string // of the fields' paths
	problems *[]Problem
}

// ReadObject returns the fields of the one JSON object that a text is; false if it is none.
func ReadObject(text []byte) (map[string]json.RawMessage, bool) {
	var fields map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(text))
	if decoder.Decode(&fields) != nil || fields == nil {
		return nil, false
	}
	_, more := decoder.Token()
	return fields, more == io.EOF
}

// readObject reads the one JSON object that a request is.
func readObject(input []byte) (map[string]json.RawMessage, *Problem) {
	fields, ok := ReadObject(input)
	if !ok {
		return nil, &Problem{Path: "$", Given: Given(input), Want: wantRequest}
	}
	return fields, nil
}

func (r *reader) has(path string) bool {
	_, ok := r.fields[path]
	return ok
}

// refuse adds a problem with a field, quoting what was given for it.
func (r *reader) refuse(path, want string) {
	r.add(Problem{Path: path, Given: Given(r.fields[path]), Want: want})
}

func (r *reader) add(p Problem) {
	p.Path = r.prefix + p.Path
	*r.problems = append(*r.problems, p)
}

// object returns a reader for the fields of an object in the request, which has none
// if the object is absent.
func (r *reader) object(path string) *reader { return r.objectOr(path, wantObject) }

// objectOr is object for a field that may be something else; want says what is right.
func (r *reader) objectOr(path, want string) *reader {
	inner := &reader{prefix: r.prefix + path + ".", problems: r.problems}
	if r.has(path) && (json.Unmarshal(r.fields[path], &inner.fields) != nil || inner.fields == nil) {
		r.refuse(path, want)
	}
	return inner
}

// refuseUnknown adds a problem for every field that is not known.
func (r *reader) refuseUnknown(known []string) {
	var unknown []string
	for name := range r.fields {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		r.add(Problem{
			Path:  fieldPath(name),
			Given: Given(r.fields[name]),
			Want:  wantUnknown(name, known),
		})
	}
}

// fieldPath returns the path of a field that a user named, quoted if it would be
// invisible otherwise.
func fieldPath(name string) string {
	if strings.TrimSpace(name) == "" {
		return strconv.Quote(Given([]byte(name)))
	}
	return Given([]byte(name))
}

// required reads a required string that is not empty; want says what is right.
func (r *reader) required(path, want string) (string, bool) {
	if !r.has(path) {
		r.refuse(path, wantMissing)
		return "", false
	}
	var text string
	if json.Unmarshal(r.fields[path], &text) != nil || text == "" {
		r.refuse(path, want)
		return "", false
	}
	return text, true
}

func (r *reader) text(path, want, absent string) string {
	if !r.has(path) {
		return absent
	}
	text, _ := r.required(path, want)
	return text
}

func (r *reader) integer(path string, low, high, absent int64) int64 {
	if !r.has(path) {
		return absent
	}
	n, ok := asWhole(r.fields[path])
	if !ok || n < low || n > high {
		r.refuse(path, wantWhole(low, high))
		return absent
	}
	return n
}

func (r *reader) boolean(path string, absent bool) bool {
	if !r.has(path) {
		return absent
	}
	switch string(r.fields[path]) {
	case "true":
		return true
	case "false":
		return false
	}
	r.refuse(path, wantBoolean)
	return absent
}

// enum reads one of a few words, of which the first is the default.
func (r *reader) enum(path string, words ...string) string {
	want := wantOneOf(words)
	given := r.text(path, want, words[0])
	if given != "" && !slices.Contains(words, given) {
		r.refuse(path, want+DidYouMean(given, words))
	}
	return given
}

// list reads a list of 1 to most distinct strings of a form.
func (r *reader) list(path string, most int, form *lazyregexp.Regexp, want string) []string {
	if !r.has(path) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(r.fields[path], &items) != nil || len(items) == 0 || len(items) > most {
		r.refuse(path, wantList(most, want))
		return nil
	}
	texts := make([]string, len(items))
	for i, item := range items {
		at := Problem{Path: fmt.Sprintf("%s[%d]", path, i), Given: Given(item)}
		switch {
		case json.Unmarshal(item, &texts[i]) != nil || !form.MatchString(texts[i]):
			at.Want = "must be " + want
			r.add(at)
		case slices.Contains(texts[:i], texts[i]):
			at.Want = wantNoRepeat
			r.add(at)
		}
	}
	return texts
}

func (r *reader) weight(path string) float64 {
	if !r.has(path) {
		return 0
	}
	weight, ok := AsNumber(r.fields[path])
	if !ok || Round(weight) <= 0 || Round(weight) >= 1 {
		r.refuse(path, wantOuterShare)
		return 0
	}
	return weight
}

func (r *reader) weights(path string) []float64 {
	if !r.has(path) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(r.fields[path], &items) != nil || len(items) == 0 || len(items) > MaxSteps {
		r.refuse(path, wantWeightList())
		return nil
	}
	weights := make([]float64, len(items))
	for i, item := range items {
		weight, ok := AsNumber(item)
		at := Problem{Path: fmt.Sprintf("%s[%d]", path, i), Given: Given(item)}
		switch {
		case !ok || Round(weight) <= 0 || weight > 1:
			at.Want = wantShare
		case i > 0 && Round(weight) <= Round(weights[i-1]):
			at.Want = wantMore(weights[i-1])
		case i == len(items)-1 && weight != 1:
			at.Want = wantLastWeight
		}
		if at.Want != "" {
			r.add(at)
		}
		weights[i] = weight
	}
	return weights
}

// AsNumber reads a JSON number, not a string that looks like one.
func AsNumber(raw json.RawMessage) (float64, bool) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return 0, false
	}
	var number float64
	err := json.Unmarshal(raw, &number)
	return number, err == nil
}

// asWhole reads a JSON number that is whole and that a float64 holds exactly.
func asWhole(raw json.RawMessage) (int64, bool) {
	number, ok := AsNumber(raw)
	if !ok || number != math.Trunc(number) || math.Abs(number) >= 1<<53 {
		return 0, false
	}
	return int64(number), true
}
