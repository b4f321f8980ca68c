package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// field is a field of the form that starts an execution, as the input's JSON Schema
// describes it.
type field struct {
	Path               string // its name in the input, such as "health.errors.alpha"
	ID                 string
	Title, Description string
	Required           bool
	Default            string
	Kind               string // text, number, boolean, enum, json or group
	Options            []string
	Fields             []*field // of a group
}

// schema is the part of JSON Schema that the form knows. Everything else becomes a field
// for JSON, and is judged when the form is sent.
type schema struct {
	Title, Description, Type string
	Ref                      string `json:"$ref"`
	Default                  json.RawMessage
	Enum                     []any
	Required                 []string
	Properties               json.RawMessage
	AnyOf                    []schema
	Defs                     map[string]schema `json:"$defs"`
}

// unasked are properties that no form asks for.
var unasked = []string{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"}

// readForm returns the fields of an input's schema, in its order.
func readForm(text []byte) ([]*field, error) {
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("the input's schema: %w", err)
	}
	return fieldsOf(root, root.Defs, "")
}

func fieldsOf(s schema, defs map[string]schema, path string) ([]*field, error) {
	if len(s.Properties) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(s.Properties)))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var all []*field
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var property schema
		if err := decoder.Decode(&property); err != nil {
			return nil, err
		}
		if slices.Contains(unasked, fmt.Sprint(name)) {
			continue
		}
		f, err := newField(property, defs, path+fmt.Sprint(name))
		if err != nil {
			return nil, err
		}
		f.Required = slices.Contains(s.Required, fmt.Sprint(name))
		all = append(all, f)
	}
	return all, nil
}

func newField(s schema, defs map[string]schema, path string) (*field, error) {
	f := &field{Path: path, ID: "field-" + strings.ReplaceAll(path, ".", "-"), Title: s.Title, Description: s.Description, Kind: "json"}
	if len(s.Default) > 0 {
		f.Default = strings.Trim(string(s.Default), `"`)
	}
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		target, known := defs[name]
		if !known {
			return nil, errors.New("the input's schema refers to " + s.Ref)
		}
		s = target
	}
	for _, other := range s.AnyOf {
		if other.Type == "string" {
			s.Type = "string" // a number in it is as good as text
		}
	}
	switch {
	case len(s.Enum) > 0:
		f.Kind = "enum"
		for _, value := range s.Enum {
			f.Options = append(f.Options, fmt.Sprint(value))
		}
	case s.Type == "string":
		f.Kind = "text"
	case s.Type == "integer" || s.Type == "number":
		f.Kind = "number"
	case s.Type == "boolean":
		f.Kind, f.Options = "boolean", []string{"true", "false"}
	case s.Type == "object":
		fields, err := fieldsOf(s, defs, path+".")
		if err != nil {
			return nil, err
		}
		if len(fields) > 0 {
			f.Kind, f.Fields = "group", fields
		}
	}
	return f, nil
}

// leaves calls do for each field that has a value of its own.
func leaves(fields []*field, do func(*field)) {
	for _, f := range fields {
		if f.Kind == "group" {
			leaves(f.Fields, do)
		} else {
			do(f)
		}
	}
}

// input returns the execution's input that the form's values make, and what can't be
// understood, by field.
func input(fields []*field, value func(path string) string) (map[string]any, map[string]string) {
	all, wrong := map[string]any{}, map[string]string{}
	leaves(fields, func(f *field) {
		text := strings.TrimSpace(value(f.Path))
		if text == "" {
			return
		}
		var v any = text
		switch f.Kind {
		case "number", "boolean":
			var parsed any
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.UseNumber()
			if decoder.Decode(&parsed) == nil && !decoder.More() {
				v = parsed
			} // else the text stands, and is refused in the rollout's own words
		case "json":
			if !json.Valid([]byte(text)) {
				wrong[f.Path] = "must be JSON"
				return
			}
			v = json.RawMessage(text)
		}
		put(all, strings.Split(f.Path, "."), v)
	})
	return all, wrong
}

// put sets a value in nested objects.
func put(in map[string]any, path []string, value any) {
	if len(path) == 1 {
		in[path[0]] = value
		return
	}
	inner, ok := in[path[0]].(map[string]any)
	if !ok {
		inner = map[string]any{}
		in[path[0]] = inner
	}
	put(inner, path[1:], value)
}

// values returns the values that fields have in an input.
func values(fields []*field, input []byte) map[string]string {
	all := map[string]string{}
	leaves(fields, func(f *field) {
		raw := json.RawMessage(input)
		for _, name := range strings.Split(f.Path, ".") {
			var object map[string]json.RawMessage
			if json.Unmarshal(raw, &object) != nil {
				return
			}
			raw = object[name]
		}
		if len(raw) == 0 {
			return
		}
		var text string
		if f.Kind != "json" && json.Unmarshal(raw, &text) == nil {
			all[f.Path] = text
			return
		}
		all[f.Path] = string(raw)
	})
	return all
}
