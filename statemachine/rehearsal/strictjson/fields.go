package strictjson

import (
	"bytes"
	"encoding/json"
	"iter"
	"reflect"
	"strings"
)

// Field is a field of a struct.
type Field struct {
	Type    reflect.Type
	Options string // of its json tag
	Secret  bool   // must not be quoted
}

// Fields returns the fields of a struct in JSON, by name, with those of embedded
// structs; and their names in the order of the struct.
func Fields(t reflect.Type) (map[string]Field, []string) {
	fields, names := map[string]Field{}, []string{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields[name] = Field{f.Type, options, f.Tag.Get("given") == "-"}
		names = append(names, name)
	}
	return fields, names
}

// begins returns what values of a type may begin with in JSON.
func begins(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "{"
	case reflect.Slice:
		return "["
	case reflect.String:
		return `"`
	case reflect.Bool:
		return "tf"
	}
	return "-0123456789"
}

// kindOf returns what values of a type are in JSON, in words.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false, without quotes"
	case reflect.Int, reflect.Int64, reflect.Int32:
		return "a whole number, without quotes"
	case reflect.Float64, reflect.Float32:
		return "a number, without quotes"
	}
	panic("strictjson: a field has the type " + t.String())
}

// members returns the names and values of an object, in its order; a name may come
// twice.
func members(raw json.RawMessage) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		must(decoder.Token()) // {
		for decoder.More() {
			name := must(decoder.Token()).(string)
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				panic(err)
			}
			if !yield(name, value) {
				return
			}
		}
	}
}

// must panics on an error, which there can't be: the syntax was checked.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// entry returns an entry of an object.
func entry(name string, value json.RawMessage) []byte {
	return append(append(must(json.Marshal(name)), ':'), value...)
}

// enclosed returns a list or an object with these parts. Unlike json.Marshal, it keeps any
// JSON as it was written.
func enclosed(begin string, parts [][]byte, end string) json.RawMessage {
	return json.RawMessage(begin + string(bytes.Join(parts, []byte(","))) + end)
}
