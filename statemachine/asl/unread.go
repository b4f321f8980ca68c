package asl

import "unicode/utf8"

// unread is an object or an array inside data that no path has entered yet. It
// saves time because a long execution carries much state from task to task that
// no state of the machine reads. Its text is exactly what appendJSON would write.
//
// Reading it changes it, so a definition, which clocks that run at the same time
// share, contains none.
type unread struct {
	text  string
	value any // the *object or []any; nil until a path enters it
}

// opened returns v or, if v is unread, the object or array that it contains.
func opened(v any) any {
	u, ok := v.(*unread)
	if !ok {
		return v
	}
	if u.value == nil {
		r := jsonReader{text: u.text, lazy: true}
		u.value, _ = r.whole() // the text is valid: it was skimmed
	}
	return u.value
}

// readJSON reads one JSON value of data, as parseJSON does for definitions. Objects
// and arrays inside it may stay unread.
func readJSON(text []byte) (any, error) {
	r := jsonReader{text: string(text), lazy: true}
	return r.whole()
}

// skimDepth limits how many levels below the value being read objects and arrays are
// skimmed. One that can't stay unread is read, and its contents are skimmed again;
// the bound prevents repeating that at each of a thousand levels.
const skimDepth = 2

// skimmed reads an object or an array, and leaves it unread if possible.
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

// skim skips a value and reports whether it is valid and written exactly as
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

// skimKey skips a member's name and reports whether it is not among the keys from
// first on. It gives up on large objects, where comparing every key takes long.
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

// extent is a range of the text, in bytes.
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
