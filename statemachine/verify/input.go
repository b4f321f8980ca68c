package verify

import (
	"encoding/json"
	"regexp"
	"strings"
)

// path matches the paths into the input that the deployed workflow has: names after dots.
var path = regexp.MustCompile(`(States\.StringToJson\()?(\$\.[A-Za-z0-9_.-]+)`)

// pathFields are the fields of a state that read its input by a path.
var pathFields = []string{"InputPath", "Parameters", "SecondsPath", "ErrorPath", "CausePath"}

// paths returns the paths that the state reads in its input, and whether what each
// leads to has to be a JSON text.
func (s state) paths() map[string]bool {
	found := map[string]bool{}
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case string:
			if !strings.HasPrefix(v, "$$") {
				for _, m := range path.FindAllStringSubmatch(v, -1) {
					if !strings.HasPrefix(m[2], "$$") {
						found[m[2]] = m[1] != ""
					}
				}
			}
		case map[string]any:
			for key, field := range v {
				if _, nested := field.(map[string]any); nested || strings.HasSuffix(key, ".$") {
					visit(field)
				}
			}
		}
	}
	for _, field := range pathFields {
		visit(s.fields[field])
	}
	return found
}

// input returns an input with something at each of the state's paths, and with the
// given values at others.
func (s state) input(values map[string]any) string {
	root := map[string]any{"kept": []any{1.5, true, nil, "text"}}
	for p, isJSON := range s.paths() {
		var v any = "the value of " + p
		if isJSON {
			v = `{"errorMessage":"why","errorType":"E"}`
		}
		put(root, p, v)
	}
	for p, v := range values {
		put(root, p, v)
	}
	text, err := json.Marshal(root)
	if err != nil {
		panic(err) // the values are JSON's own
	}
	return string(text)
}

// put sets the value at a path of names.
func put(root map[string]any, path string, value any) {
	steps := strings.Split(strings.TrimPrefix(path, "$."), ".")
	for _, step := range steps[:len(steps)-1] {
		inner, ok := root[step].(map[string]any)
		if !ok {
			inner = map[string]any{}
			root[step] = inner
		}
		root = inner
	}
	root[steps[len(steps)-1]] = value
}
