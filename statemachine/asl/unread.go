package asl

import "unicode/utf8"

// unread is an object or an array inside of data that no path has entered yet:
// a long execution carries much state from task to task that no state of the
// machine looks at. Its text is in the very form in which appendJSON writes it.
//
// Reading it changes it, so that it is no part of a definition: those are read
// whole and shared by clocks that run at the same time.
type unread struct {
	text  string
	value any // once it was entered: the *object or []any
}

// opened returns v; if it is unread, then the object or the array that it is.
func opened(v any) any {
	u, ok := v.(*unread)
	if !ok {
		return v
	}
	if u.value == nil {
		r := jsonReader{text: u.text, lazy: true}
		u.value, _ = r.whole() // the text is sound: it was skimmed
	}
	return u.value
}

// readJSON is parseJSON for data: what lies deeper in it may stay unread.
func readJSON(text []byte) (any, error) {
	r := jsonReader{text: string(text), lazy: true}
	return r.whole()
}

// skimDepth is how deep below the value that is read objects and arrays are
// skimmed. One that can't stay unread is read, and what is in it skimmed again:
// the bound keeps that from being done at each of a thousand levels.
const skimDepth = 2

// skimmed takes an object or an array, and leaves it unread if it can.
func (r *jsonReader) skimmed(depth int) (any, error) {
	begin := r.pos
	r.keys = r.keys[:0]
	if r.skim(depth) {
		return &unread{text: r.text[begin:r.pos]}, nil
	}
	r.pos = begin
	if r.text[begin] == '{' {
		return r.object(depth)
	}
	return r.array(depth)
}

// skim takes a value and reports whether it is sound and written just as
// appendJSON would write it: no space, no needless escape, no key twice.
func (r *jsonReader) skim(depth int) bool {
	if depth > maxDepth || r.pos >= len(r.text) {
		return false
	}
	switch r.text[r.pos] {
	case '{':
		return r.skimObject(depth)
	case '[':
		r.pos++
		if r.accept(']') {
			return true
		}
		for r.skim(depth + 1) {
			if r.accept(']') {
				return true
			}
			if !r.accept(',') {
				return false
			}
		}
		return false
	case '"':
		return r.skimString()
	case 't':
		return r.literal("true") == nil
	case 'f':
		return r.literal("false") == nil
	case 'n':
		return r.literal("null") == nil
	}
	return r.numeral()
}

func (r *jsonReader) skimObject(depth int) bool {
	r.pos++
	if r.accept('}') {
		return true
	}
	first := len(r.keys)
	for r.skimKey(first) && r.accept(':') && r.skim(depth+1) {
		if r.accept('}') {
			r.keys = r.keys[:first]
			return true
		}
		if !r.accept(',') {
			return false
		}
	}
	return false
}

// skimKey takes a member's name that is not among the keys from first on. It
// gives up on large objects, in which looking at each key would take long.
func (r *jsonReader) skimKey(first int) bool {
	begin := r.pos
	if begin >= len(r.text) || r.text[begin] != '"' || !r.skimString() || len(r.keys)-first > 4*smallObject {
		return false
	}
	key := r.text[begin:r.pos]
	for _, other := range r.keys[first:] {
		if r.text[other.begin:other.end] == key {
			return false
		}
	}
	r.keys = append(r.keys, extent{begin, r.pos})
	return true
}

// extent is a part of the text.
type extent struct{ begin, end int }

func (r *jsonReader) skimString() bool {
	text := r.text
	for i := r.pos + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			r.pos = i + 1
			return true
		case c == '\\':
			i++
			if i >= len(text) || text[i] != '"' && text[i] != '\\' && text[i] != 'n' && text[i] != 'r' && text[i] != 't' {
				return false
			}
		case c < 0x20:
			return false
		case c >= utf8.RuneSelf:
			_, width := utf8.DecodeRuneInString(text[i:])
			if width == 1 {
				return false
			}
			i += width - 1
		}
	}
	return false
}
