package asl

import (
	"encoding/json"
	"fmt"
)

// maxDepth is the maximum nesting of JSON (the limit of AWS's own JSON reader).
const maxDepth = 1000

// parseJSON reads one JSON value (RFC 8259) completely. As in encoding/json,
// invalid UTF-8 in strings becomes U+FFFD.
func parseJSON(text []byte) (any, error) {
	r := jsonReader{text: string(text)}
	return r.whole()
}

// jsonReader reads JSON values from a text. They share the text's memory.
type jsonReader struct {
	text     string
	pos      int
	lazy     bool     // objects and arrays may stay unread
	members  []member // of the objects that are being read, the innermost last
	elements []any    // of the arrays that are being read, the innermost last
	keys     []extent // of the objects that are being skimmed, the innermost last
}

// whole reads a text that consists of one value.
func (r *jsonReader) whole() (any, error) {
	r.members = make([]member, 0, smallObject)
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.pos < len(r.text) {
		return nil, r.unexpected("after the value")
	}
	return v, nil
}

// unexpected returns the error for the byte at the current position.
func (r *jsonReader) unexpected(where string) error {
	if r.pos >= len(r.text) {
		return fmt.Errorf("the JSON text ends too early, at byte %d", r.pos)
	}
	return fmt.Errorf("unexpected %q %s, at byte %d of the JSON text", r.text[r.pos], where, r.pos)
}

// space skips white space.
func (r *jsonReader) space() {
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// take skips white space and then c. It reports whether c was there.
func (r *jsonReader) take(c byte) bool {
	r.space()
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

func (r *jsonReader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the JSON text nests deeper than %d levels", maxDepth)
	}
	r.space()
	if r.pos >= len(r.text) {
		return nil, r.unexpected("")
	}
	switch c := r.text[r.pos]; {
	case r.lazy && (c == '{' || c == '[') && 0 < depth && depth <= skimDepth:
		return r.skimmed(depth)
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.string()
	case c == 't':
		return true, r.literal("true")
	case c == 'f':
		return false, r.literal("false")
	case c == 'n':
		return nil, r.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	}
	return nil, r.unexpected("where a value should begin")
}

func (r *jsonReader) object(depth int) (any, error) {
	r.pos++
	if r.take('}') {
		return &object{}, nil
	}
	begin := len(r.members)
	for {
		if r.space(); r.pos >= len(r.text) || r.text[r.pos] != '"' {
			return nil, r.unexpected("where a member's name should begin")
		}
		key, err := r.string()
		if err != nil {
			return nil, err
		}
		if !r.take(':') {
			return nil, r.unexpected("after a member's name")
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		r.members = append(r.members, member{key, v})
		if r.take('}') {
			break
		}
		if !r.take(',') {
			return nil, r.unexpected("after a member")
		}
	}
	o := &object{members: make([]member, 0, len(r.members)-begin)}
	for _, m := range r.members[begin:] {
		o.add(m.key, m.value)
	}
	r.members = r.members[:begin]
	return o, nil
}

func (r *jsonReader) array(depth int) (any, error) {
	r.pos++
	if r.take(']') {
		return []any{}, nil
	}
	begin := len(r.elements)
	for {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		r.elements = append(r.elements, v)
		if r.take(']') {
			break
		}
		if !r.take(',') {
			return nil, r.unexpected("after an element")
		}
	}
	list := append([]any(nil), r.elements[begin:]...)
	r.elements = r.elements[:begin]
	return list, nil
}

func (r *jsonReader) string() (string, error) {
	begin := r.pos
	plain := true
	for r.pos++; r.pos < len(r.text); r.pos++ {
		switch c := r.text[r.pos]; {
		case c == '"':
			r.pos++
			if plain {
				return r.text[begin+1 : r.pos-1], nil
			}
			var s string
			if err := json.Unmarshal([]byte(r.text[begin:r.pos]), &s); err != nil {
				return "", fmt.Errorf("the string at byte %d of the JSON text: %w", begin, err)
			}
			return s, nil
		case c == '\\':
			plain = false
			r.pos++
		case c >= 0x80:
			plain = false
		case c < 0x20:
			return "", r.unexpected("in a string")
		}
	}
	return "", r.unexpected("")
}

func (r *jsonReader) literal(word string) error {
	for i := range len(word) {
		if r.pos >= len(r.text) || r.text[r.pos] != word[i] {
			return r.unexpected("in " + word)
		}
		r.pos++
	}
	return nil
}

func (r *jsonReader) number() (any, error) {
	begin := r.pos
	if !r.numeral() {
		return nil, r.unexpected("in a number")
	}
	return number(r.text[begin:r.pos]), nil
}

// numeral skips a number. It reports whether there is one.
func (r *jsonReader) numeral() bool {
	r.accept('-')
	if !r.accept('0') && !r.digits() {
		return false
	}
	if r.accept('.') && !r.digits() {
		return false
	}
	if !r.accept('e') && !r.accept('E') {
		return true
	}
	if !r.accept('+') {
		r.accept('-')
	}
	return r.digits()
}

// accept skips c. It reports whether c was there.
func (r *jsonReader) accept(c byte) bool {
	if r.pos < len(r.text) && r.text[r.pos] == c {
		r.pos++
		return true
	}
	return false
}

// digits skips digits. It reports whether there were any.
func (r *jsonReader) digits() bool {
	begin := r.pos
	for r.pos < len(r.text) && '0' <= r.text[r.pos] && r.text[r.pos] <= '9' {
		r.pos++
	}
	return r.pos > begin
}
