// Package strictjson reads JSON that people write by hand. It reports everything that is
// wrong at once, and takes nothing that encoding/json would overlook: no unknown names,
// no names in another case, no name twice, and no null.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Reading is what [Read] found in a JSON text.
type Reading struct {
	// Problems are in the order of the text. A path has the names of fields, and indexes
	// of lists: `changes[0].alias.weight`, `endpoints["https://example.com/"].status`.
	Problems []rollout.Problem
	given    map[string]string // what was given for each number and string, by path
}

// Given returns the number or string that the text has at a path, as JSON, shortened; ""
// if it has none, or it may be secret.
func (r *Reading) Given(path string) string { return r.given[path] }

// Spoilt reports whether there is a problem at a path, above it, or below it, so that
// what v has there is not what the text meant.
func (r *Reading) Spoilt(path string) bool {
	return slices.ContainsFunc(r.Problems, func(p rollout.Problem) bool {
		return within(path, p.Path) || within(p.Path, path)
	})
}

// within reports whether a path is another one, or below it.
func within(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[') || above == Root
}

// Root is the path of the text as a whole.
const Root = "$"

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Path returns the path of a field of what is at a path; "" is the text as a whole.
func Path(at, name string) string {
	switch {
	case !plainName.MatchString(name):
		return at + "[" + strconv.Quote(rollout.Shorten(name, 80)) + "]"
	case at == "":
		return name
	}
	return at + "." + name
}

// Read reads one JSON object into what v points at: a struct of booleans, numbers,
// strings, structs, pointers, lists, maps by strings, and json.RawMessage for any JSON.
// What is wrong is left out, so v keeps what it had there. Whole numbers may be written
// as 60, 6e1 or 60.0. A number that is too large for its type is read as the type's
// largest: the caller's range has to refuse it.
//
// A string that may be left out (omitempty) must not be empty. What is in a field with
// the tag `given:"-"` is not quoted in problems.
func Read(data []byte, v any) *Reading {
	r := &reader{Reading: &Reading{given: map[string]string{}}}
	if problem := syntax(data); problem != "" {
		r.add(Root, "", problem) // data may have secrets
		return r.Reading
	}
	clean, ok := r.read("", data, reflect.TypeOf(v).Elem(), "")
	if !ok {
		return r.Reading
	}
	if err := json.Unmarshal(clean, v); err != nil {
		r.add(Root, "", "can't be read: "+err.Error())
	}
	return r.Reading
}

// syntax returns why data is not one JSON value; "" if it is.
func syntax(data []byte) string {
	var raw json.RawMessage
	err := json.Unmarshal(data, &raw)
	var at *json.SyntaxError
	switch {
	case bytes.HasPrefix(data, []byte("\uFEFF")):
		return "must be JSON without a byte order mark"
	case !utf8.Valid(data):
		return "must be JSON in UTF-8"
	case errors.As(err, &at):
		before := data[:min(max(at.Offset-1, 0), int64(len(data)))]
		line := bytes.Count(before, []byte("\n")) + 1
		column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
		return fmt.Sprintf("must be one JSON object; line %d, column %d: %v", line, column, err)
	case err != nil:
		return "must be one JSON object: " + err.Error()
	}
	return ""
}

// reader walks over a JSON text together with the type that it is read into.
type reader struct {
	*Reading
	secret bool // what is read now
}

func (r *reader) add(path, given, want string) {
	if r.secret {
		given = ""
	}
	if path == "" {
		path = Root
	}
	r.Problems = append(r.Problems, rollout.Problem{Path: path, Given: rollout.Shorten(rollout.OneLine(strings.TrimSpace(given)), 80), Want: want})
}

var anyJSON = reflect.TypeFor[json.RawMessage]()

// read returns the JSON of a value without what is wrong in it; false if nothing is
// left. options are those of the field's tag.
func (r *reader) read(path string, raw json.RawMessage, t reflect.Type, options string) (json.RawMessage, bool) {
	optional := strings.Contains(options, "omitempty") && t.Kind() != reflect.Pointer
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	raw = bytes.TrimSpace(raw)
	switch {
	case t == anyJSON:
		return raw, r.distinct(path, raw)
	case !strings.ContainsRune(begins(t), rune(raw[0])):
		want := "must be " + kindOf(t)
		if string(raw) == "null" && path != "" {
			want += ", or be left out"
		}
		r.add(path, string(raw), want)
		return json.RawMessage("{}"), t.Kind() == reflect.Struct && path != ""
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return r.object(path, raw, t), true
	case reflect.Slice:
		return r.list(path, raw, t.Elem()), true
	case reflect.String:
		if optional && string(raw) == `""` {
			r.add(path, string(raw), "must not be empty: leave it out instead")
			return nil, false
		}
		r.keep(path, raw)
	case reflect.Float64, reflect.Float32:
		r.keep(path, raw)
		if n, err := strconv.ParseFloat(string(raw), 64); err != nil {
			return json.RawMessage(strconv.FormatFloat(math.Copysign(math.MaxFloat64, n), 'g', -1, 64)), true
		}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return r.whole(path, raw, t)
	}
	return raw, true
}

func (r *reader) keep(path string, raw json.RawMessage) {
	if !r.secret {
		r.given[path] = rollout.Shorten(rollout.OneLine(string(raw)), 80)
	}
}

// whole returns a whole number as Go reads it.
func (r *reader) whole(path string, raw json.RawMessage, t reflect.Type) (json.RawMessage, bool) {
	n, _ := strconv.ParseFloat(string(raw), 64) // ±Inf if it is out of range
	if n != math.Trunc(n) {
		r.add(path, string(raw), "must be "+kindOf(t))
		return nil, false
	}
	r.keep(path, raw)
	most := float64(int64(1)<<min(53, t.Bits()-1) - 1)
	return json.RawMessage(strconv.FormatInt(int64(min(max(n, -most), most)), 10)), true
}

// list reads the items of a list. One of which nothing is left is left out.
func (r *reader) list(path string, raw json.RawMessage, t reflect.Type) json.RawMessage {
	var items []json.RawMessage
	var kept [][]byte
	if err := json.Unmarshal(raw, &items); err != nil {
		panic(err) // its syntax was checked
	}
	for i, item := range items {
		if clean, ok := r.read(fmt.Sprintf("%s[%d]", path, i), item, t, ""); ok {
			kept = append(kept, clean)
		}
	}
	return enclosed("[", kept, "]")
}

// object reads the fields of a struct, or the entries of a map.
func (r *reader) object(path string, raw json.RawMessage, t reflect.Type) json.RawMessage {
	fields, seen, kept := map[string]Field{}, map[string]bool{}, [][]byte(nil)
	var names []string
	if t.Kind() == reflect.Struct {
		fields, names = Fields(t)
	}
	before := r.secret
	for name, value := range members(raw) {
		at := Path(path, name)
		of, known := fields[name]
		if t.Kind() == reflect.Map {
			of, known = Field{Type: t.Elem()}, true
		}
		r.secret = before || of.Secret
		switch {
		case !known:
			r.unknown(at, name, value, fields, names)
		case seen[name]:
			r.add(at, string(value), "is given twice")
		default:
			seen[name] = true
			if clean, ok := r.read(at, value, of.Type, of.Options); ok {
				kept = append(kept, entry(name, clean))
			}
		}
		r.secret = before
	}
	return enclosed("{", kept, "}")
}

// unknown adds a problem with a field that is not known, with the nearest that is. It does
// not quote the value if a secret may have been meant.
func (r *reader) unknown(at, name string, value json.RawMessage, fields map[string]Field, names []string) {
	hint := rollout.DidYouMean(name, names)
	if hint == "" {
		hint = "; known are " + strings.Join(names, ", ")
	}
	for known, of := range fields {
		r.secret = r.secret || of.Secret && rollout.DidYouMean(name, []string{known}) != ""
	}
	r.add(at, string(value), "is not a known field"+hint)
}

// distinct adds a problem for each name that an object in any JSON has twice.
func (r *reader) distinct(path string, raw json.RawMessage) bool {
	found := len(r.Problems)
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()        // 1e400 is JSON
	var open []map[string]bool // the names of each object that is open; nil for a list
	name := false              // whether a name or an end is next
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return len(r.Problems) == found
		}
		if err != nil {
			r.add(path, string(raw), "can't be read: "+err.Error())
			return false
		}
		switch key, text := token.(string); {
		case token == json.Delim('{'):
			open = append(open, map[string]bool{})
		case token == json.Delim('['):
			open = append(open, nil)
		case token == json.Delim('}'), token == json.Delim(']'):
			open = open[:len(open)-1]
		case text && name:
			names := open[len(open)-1]
			if names[key] {
				r.add(path, string(raw), fmt.Sprintf("must not have the name %q twice in one object", rollout.Shorten(key, 80)))
			}
			names[key], name = true, false
			continue
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
