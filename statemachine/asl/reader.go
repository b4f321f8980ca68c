package asl

import (
	"fmt"
	"strconv"
	"strings"
)

// problems collects the problems of a definition.
type problems struct {
	list []error
}

// addf adds a problem at a place, which is a JSON path into the definition.
func (p *problems) addf(at, format string, args ...any) {
	p.list = append(p.list, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

// memberPath returns a JSON path extended by a member's name.
func memberPath(at, name string) string {
	if name != "" && nameLength(name) == len(name) {
		return at + "." + name
	}
	return at + "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']"
}

// elementPath returns a JSON path extended by an index.
func elementPath(at string, i int) string { return fmt.Sprintf("%s[%d]", at, i) }

// repeats reports the keys that occur more than once in an object, at any depth.
func (p *problems) repeats(at string, value any) {
	switch v := value.(type) {
	case *object:
		for _, key := range v.repeated {
			p.addf(memberPath(at, key), "the field is written more than once")
		}
		for _, m := range v.members {
			p.repeats(memberPath(at, m.key), m.value)
		}
	case []any:
		for i, element := range v {
			p.repeats(elementPath(at, i), element)
		}
	}
}

// fields reads the fields of one object of the definition. A field that no
// method asked for is unknown: done reports it.
type fields struct {
	*problems
	at    string
	what  string // what the object is, for reports: "a Task state"
	obj   *object
	asked map[string]bool
}

// fields returns a reader of an object. It reports anything else and reads it as
// an object without fields.
func (p *problems) fields(at, what string, value any) *fields {
	o, ok := value.(*object)
	if !ok {
		p.addf(at, "%s must be an object", what)
		o = &object{}
	}
	return &fields{problems: p, at: at, what: what, obj: o, asked: map[string]bool{}}
}

// done reports the fields that no method asked for.
func (f *fields) done() {
	for _, m := range f.obj.members {
		if !f.asked[m.key] {
			f.addf(f.place(m.key), "unknown field %q in %s", m.key, f.what)
		}
	}
}

// place returns the JSON path of a field.
func (f *fields) place(key string) string { return memberPath(f.at, key) }

// get returns a field's value and whether the field is present.
func (f *fields) get(key string) (any, bool) {
	f.asked[key] = true
	return f.obj.get(key)
}

// need returns a required field, as get does, and reports a missing one.
func (f *fields) need(key string) (any, bool) {
	v, ok := f.get(key)
	if !ok {
		f.addf(f.at, "%s has no %s", f.what, key)
	}
	return v, ok
}

// text reads an optional string. It returns false if there is none.
func (f *fields) text(key string) (string, bool) {
	v, ok := f.get(key)
	if !ok {
		return "", false
	}
	s, ok := v.(string)
	if !ok {
		f.addf(f.place(key), "%s must be a string", key)
	}
	return s, ok
}

// needText reads a required string, as text does, and reports a missing one.
func (f *fields) needText(key string) (string, bool) {
	if _, ok := f.need(key); !ok {
		return "", false
	}
	return f.text(key)
}

// integer reads an optional integer from low to high. It returns def if there is
// none.
func (f *fields) integer(key string, def, low, high int64) int64 {
	v, ok := f.get(key)
	if !ok {
		return def
	}
	n, ok := v.(number)
	i, err := strconv.ParseInt(string(n), 10, 64)
	if !ok || err != nil || i < low || i > high {
		f.addf(f.place(key), "%s must be an integer from %d to %d", key, low, high)
		return def
	}
	return i
}

// path reads an optional reference path. It returns false if there is none.
func (f *fields) path(key string) (refPath, bool) {
	s, ok := f.text(key)
	if !ok {
		return refPath{}, false
	}
	p := f.parsePath(f.place(key), s)
	f.one(key, p)
	return p, true
}

// one reports a path in a field that takes a reference path.
func (f *fields) one(key string, p refPath) {
	if p.many {
		f.addf(f.place(key), "%q: %s takes a path to exactly one value", p.text, key)
	}
}

// parsePath compiles a path, which may lead into the context object, and reports
// its problems.
func (p *problems) parsePath(at, text string) refPath {
	path, err := parsePath(text)
	if err != nil {
		p.addf(at, "%q: %v", text, err)
		return refPath{}
	}
	p.contextPaths(at, path)
	return path
}

// filter reads an InputPath, OutputPath or ResultPath: a path or null. The default
// is $.
func (f *fields) filter(key string) filter {
	v, ok := f.get(key)
	if !ok {
		return filter{}
	}
	if v == nil {
		return filter{nothing: true}
	}
	s, ok := v.(string)
	if !ok {
		f.addf(f.place(key), "%s must be a path or null", key)
		return filter{}
	}
	path := f.parsePath(f.place(key), s)
	if key == "ResultPath" {
		if path.context {
			f.addf(f.place(key), "%q: a ResultPath can't lead into the context object", s)
		}
		f.one(key, path)
	}
	return filter{path: path}
}

// template reads an optional payload template, which is an object.
func (f *fields) template(key string) template {
	v, ok := f.get(key)
	if !ok {
		return nil
	}
	if _, ok := v.(*object); !ok {
		f.addf(f.place(key), "%s must be an object", key)
		return nil
	}
	return f.problems.template(f.place(key), v)
}

// list reads an array. If needed, it must be present and not empty.
func (f *fields) list(key string, needed bool) []any {
	get := f.get
	if needed {
		get = f.need
	}
	v, ok := get(key)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok || needed && len(list) == 0 {
		f.addf(f.place(key), "%s must be a non-empty array", key)
	}
	return list
}

// atMostOne reports fields that exclude each other, and returns how many of them
// are present.
func (f *fields) atMostOne(keys ...string) int {
	var there []string
	for _, key := range keys {
		if _, ok := f.obj.get(key); ok {
			there = append(there, key)
		}
	}
	if len(there) > 1 {
		f.addf(f.at, "%s has %s; only one of them is allowed", f.what, strings.Join(there, " and "))
	}
	return len(there)
}
