package rollouts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

// Text returns a text file's content as UTF-8 without a byte order mark. It reads UTF-8 and
// UTF-16, as Windows PowerShell writes files, by their marks or, without one, by how JSON
// must begin. It returns an error for anything else.
func Text(file []byte) ([]byte, error) {
	var order func(a, b byte) uint16
	little := func(a, b byte) uint16 { return uint16(a) | uint16(b)<<8 }
	big := func(a, b byte) uint16 { return little(b, a) }
	switch {
	case bytes.HasPrefix(file, []byte{0xef, 0xbb, 0xbf}):
		file = file[3:]
	case bytes.HasPrefix(file, []byte{0xff, 0xfe}):
		file, order = file[2:], little
	case bytes.HasPrefix(file, []byte{0xfe, 0xff}):
		file, order = file[2:], big
	case len(file) >= 2 && file[0] != 0 && file[1] == 0:
		order = little
	case len(file) >= 2 && file[0] == 0 && file[1] != 0:
		order = big
	}
	if order != nil {
		if len(file)%2 != 0 {
			return nil, errors.New("it looks like UTF-16 and has an odd number of bytes: save it as UTF-8")
		}
		text := make([]byte, 0, len(file)/2+len(file)/16)
		for i := 0; i < len(file); i += 2 {
			r := rune(order(file[i], file[i+1]))
			if utf16.IsSurrogate(r) && i+3 < len(file) {
				if pair := utf16.DecodeRune(r, rune(order(file[i+2], file[i+3]))); pair != utf8.RuneError {
					r, i = pair, i+2
				}
			}
			text = utf8.AppendRune(text, r) // U+FFFD for half a pair
		}
		file = text
	}
	if !utf8.Valid(file) {
		return nil, errors.New("it is neither UTF-8 nor UTF-16: save it as UTF-8")
	}
	return file, nil
}

// Lines returns the line, from 1, on which each value of a JSON text begins, by the path
// that rollout.Problem has for it, such as "weights[2]" or "health.probes[0].name", and by
// the one that strictjson.Path makes of names that are not plain. Where
// the text is not JSON, it returns those before that place. Of a name that comes twice, the
// last one counts, as for the workflow.
func Lines(text []byte) map[string]int {
	l := lines{decoder: json.NewDecoder(bytes.NewReader(text)), text: text, line: 1, at: map[string]int{}}
	l.value("")
	return l.at
}

type lines struct {
	decoder *json.Decoder
	text    []byte
	at      map[string]int
	// line is that of the byte at counted, which only grows.
	line, counted int
	depth         int
}

// deepest is how deep values are recorded; paths of deeper ones are long, and no problem has them.
const deepest = 64

// value reads the next value, and records where it and those in it begin. It returns false
// where the text can't be read.
func (l *lines) value(path string) bool {
	begin := int(l.decoder.InputOffset())
	for begin < len(l.text) && strings.ContainsRune(" \t\r\n:,", rune(l.text[begin])) {
		begin++
	}
	token, err := l.decoder.Token()
	if err != nil {
		return false
	}
	l.line += bytes.Count(l.text[l.counted:begin], []byte("\n"))
	l.counted = begin
	if l.depth > deepest {
		path = ""
	} else {
		l.at[path] = l.line
	}
	l.depth++
	defer func() { l.depth-- }()
	switch token {
	case json.Delim('{'):
		for l.decoder.More() {
			name, err := l.decoder.Token()
			text, ok := name.(string)
			at := strictjson.Path(path, text)
			if err != nil || !ok || !l.value(at) {
				return false
			}
			if l.depth <= deepest {
				l.at[strings.TrimPrefix(path+"."+text, ".")] = l.at[at]
			}
		}
	case json.Delim('['):
		for i := 0; l.decoder.More(); i++ {
			if !l.value(path + "[" + strconv.Itoa(i) + "]") {
				return false
			}
		}
	default:
		return true
	}
	_, err = l.decoder.Token() // its end
	return err == nil
}

// Syntax returns an error that says on which line a text is not one JSON object with each
// name once; nil if it is one. Of a name that comes twice the workflow would take the last
// one, and which one was meant can't be known.
func Syntax(text []byte) error {
	line := func(offset int64) int { return 1 + bytes.Count(text[:min(int(offset), len(text))], []byte("\n")) }
	var fields map[string]json.RawMessage
	err := json.Unmarshal(text, &fields)
	var syntax *json.SyntaxError
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("it is empty: it must be a JSON object, the execution's input")
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: it is not JSON: %w", line(syntax.Offset), syntax)
	case err != nil || fields == nil:
		return errors.New("it must be a JSON object, the execution's input")
	}
	return twice(text, line)
}

// twice returns an error for a name that comes twice in an object.
func twice(text []byte, line func(int64) int) error {
	type object struct {
		names map[string]bool // nil for a list
		value bool            // the next token of the object is a value
	}
	var open []object
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil // the end: the syntax was checked
		}
		inside := len(open) > 0
		if name, ok := token.(string); ok && inside && open[len(open)-1].names != nil && !open[len(open)-1].value {
			o := &open[len(open)-1]
			if o.names[name] {
				return fmt.Errorf("line %d: the name %q comes twice in one object: leave out one of the two", line(decoder.InputOffset()), name)
			}
			o.names[name], o.value = true, true
			continue
		}
		switch token {
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if inside {
			open[len(open)-1].value = false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, object{})
		}
	}
}

// With returns a JSON object with some of its fields set to strings; empty strings leave
// fields as they are. The text must be an object.
func With(text []byte, fields map[string]string) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil || all == nil {
		return nil, errors.New("it must be a JSON object, the execution's input")
	}
	changed := false
	for name, value := range fields {
		if value == "" {
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		all[name], changed = encoded, true
	}
	if !changed {
		return text, nil
	}
	return json.Marshal(all)
}
