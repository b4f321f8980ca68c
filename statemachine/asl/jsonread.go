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
	r := jsonReader{text: string(text), members: make([]member, 0, smallObject)}
	return r.whole()
}

// jsonReader reads JSON values from a text. They share the text's memory.
type jsonReader struct {
	text     string
	pos      int
	lazy     bool     // objects and arrays may stay unread
	similar  *object  // has some members of the object that is being read; may be nil
	members  []member // of the objects that are being read, the innermost last
	elements []any    // of the arrays that are being read, the innermost last
	keys     []extent // of the objects that are being skimmed, the innermost last
}

// whole reads a text that consists of one value.
func (r *jsonReader) whole() (any, error) {
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
		v, err := r.member(depth, len(r.members)-begin, key)
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

// member reads the value of an object's i-th member.
func (r *jsonReader) member(depth, i int, key string) (any, error) {
	if r.similar != nil && depth == 0 {
		r.space()
		if u, ok := r.same(i, key); ok {
			r.pos += len(u.text)
			return u, nil
		}
	}
	return r.value(depth + 1)
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
	end, ok := numeral(r.text, begin)
	if r.pos = end; !ok {
		return nil, r.unexpected("in a number")
	}
	return number(r.text[begin:end]), nil
}

// numeral skips the number at a position of a text. It returns the position after it, and
// whether there is one; if not, the position where that is seen.
func numeral(text string, i int) (end int, ok bool) {
	if i < len(text) && text[i] == '-' {
		i++
	}
	if i < len(text) && text[i] == '0' {
		i++
	} else if i, ok = digits(text, i); !ok {
		return i, false
	}
	if i < len(text) && text[i] == '.' {
		if i, ok = digits(text, i+1); !ok {
			return i, false
		}
	}
	if i >= len(text) || text[i] != 'e' && text[i] != 'E' {
		return i, true
	}
	if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	return digits(text, i)
}

// digits is numeral for digits alone.
func digits(text string, i int) (end int, ok bool) {
	end = i
	for end < len(text) && text[end]-'0' <= 9 {
		end++
	}
	return end, end > i
}
