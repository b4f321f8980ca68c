package asl

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// unread is an object or an array inside data that no path has entered yet. It
// saves time because a long execution carries much state from task to task that
// no state of the machine reads. Its text is exactly what appendJSON would write.
//
// Reading it changes it, so a definition, which clocks that run at the same time
// share, contains none.
type unread struct {
	text  string
	value any // the *object or []any; nil until it is read
	found int // members that were found without reading the others
}

// opened returns v or, if v is unread, the object or array that it contains.
func opened(v any) any {
	u, ok := v.(*unread)
	if !ok {
		return v
	}
	if u.value == nil {
		u.value, _ = readLazily(u.text, nil) // the text is valid: it was skimmed
	}
	return u.value
}

// mostFound is how many members are searched in the text before all are read.
const mostFound = 8

// member returns a member, and whether there is one. It does not read the others, if a few
// of them are asked for.
func (u *unread) member(name string) (any, bool) {
	if u.value == nil && u.found < mostFound && u.text[0] == '{' {
		u.found++
		s := skimmer{text: u.text}
		for i := 1; ; i++ { // after { or a comma
			if s.at(i) != '"' {
				return nil, false
			}
			end := s.string(i)
			key := s.text[i+1 : end-1]
			if strings.IndexByte(key, '\\') >= 0 {
				break
			}
			i = s.after(end + 1)
			if key != name {
				continue
			}
			text := s.text[end+1 : i]
			if text[0] == '{' || text[0] == '[' {
				return &unread{text: text}, true
			}
			v, _ := readLazily(text, nil)
			return v, true
		}
	}
	o, ok := opened(u).(*object)
	if !ok {
		return nil, false
	}
	return o.get(name)
}

// readJSON reads one JSON value of data, as parseJSON does for definitions. Objects
// and arrays inside it may stay unread.
func readJSON(text []byte) (any, error) { return readLazily(string(text), nil) }

// readers have room for values that are being read, from readers before.
var readers = sync.Pool{New: func() any { return &jsonReader{members: make([]member, 0, smallObject)} }}

// readLazily implements readJSON. Unread members of a similar object, which may be nil, are
// taken from there.
func readLazily(text string, similar *object) (any, error) {
	r := readers.Get().(*jsonReader)
	r.text, r.pos, r.lazy, r.similar = text, 0, true, similar
	v, err := r.whole()
	if cap(r.members)+cap(r.elements) > 1000 { // of an unusual value
		return v, err
	}
	clear(r.members[:cap(r.members)]) // they keep values alive
	clear(r.elements[:cap(r.elements)])
	*r = jsonReader{members: r.members[:0], elements: r.elements[:0], keys: r.keys[:0]}
	readers.Put(r)
	return v, err
}

// same returns the similar object's member, the i-th or another one of that name, if it is
// unread and follows in the text. As it ends with its last brace, what is there is nothing else.
func (r *jsonReader) same(i int, name string) (*unread, bool) {
	members := r.similar.members
	if i >= len(members) || members[i].key != name {
		if i = r.similar.find(name); i < 0 {
			return nil, false
		}
	}
	u, ok := members[i].value.(*unread)
	return u, ok && strings.HasPrefix(r.text[r.pos:], u.text)
}

// skimDepth limits how many levels below the value being read objects and arrays are
// skimmed. One that can't stay unread is read, and its contents are skimmed again;
// the bound prevents repeating that at each of a thousand levels.
const skimDepth = 2

// skimmed reads an object or an array, and leaves it unread if possible.
func (r *jsonReader) skimmed(depth int) (any, error) {
	begin := r.pos
	s := skimmer{r.text, r.keys[:0]}
	end := s.value(begin, depth)
	r.keys = s.keys
	if end > 0 {
		r.pos = end
		return &unread{text: r.text[begin:end]}, nil
	}
	if r.text[begin] == '{' {
		return r.object(depth)
	}
	return r.array(depth)
}

// largeObject is the number of members above which an object does not stay unread.
const largeObject = 48

// skimmer skips values that are valid and written exactly as appendJSON would write them:
// no space, no needless escape, no key twice. Its methods take a position of the text, and
// return the one after what they skip; -1 if that is something else.
type skimmer struct {
	text string
	keys []extent // of the objects that are being skimmed, the innermost last
}

// extent is a range of the text, in bytes.
type extent struct{ begin, end int }

func (s *skimmer) value(i, depth int) int {
	if depth > maxDepth {
		return -1
	}
	switch s.at(i) {
	case '{':
		return s.object(i, depth)
	case '[':
		return s.array(i, depth)
	case '"':
		return s.string(i)
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	}
	if i, ok := numeral(s.text, i); ok {
		return i
	}
	return -1
}

// at returns a byte of the text; 0, which is no part of JSON, past its end.
func (s *skimmer) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

// after returns the position after a member's value, which is valid.
func (s *skimmer) after(i int) int {
	for depth := 0; ; {
		switch s.text[i] {
		case '"':
			i = s.string(i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
}

func (s *skimmer) literal(i int, word string) int {
	if !strings.HasPrefix(s.text[i:], word) {
		return -1
	}
	return i + len(word)
}

func (s *skimmer) array(i, depth int) int {
	if i++; s.at(i) == ']' {
		return i + 1
	}
	for {
		if i = s.value(i, depth+1); i < 0 {
			return -1
		}
		switch s.at(i) {
		case ']':
			return i + 1
		case ',':
			i++
		default:
			return -1
		}
	}
}

func (s *skimmer) object(i, depth int) int {
	if i++; s.at(i) == '}' {
		return i + 1
	}
	first := len(s.keys)
	for {
		if i = s.key(i, first); i < 0 || s.at(i) != ':' {
			return -1
		}
		if i = s.value(i+1, depth+1); i < 0 {
			return -1
		}
		switch s.at(i) {
		case '}':
			s.keys = s.keys[:first]
			return i + 1
		case ',':
			i++
		default:
			return -1
		}
	}
}

// key skips a member's name, which must not be among the keys from first on. It gives up
// on large objects, where comparing every key takes long.
func (s *skimmer) key(begin, first int) int {
	if s.at(begin) != '"' || len(s.keys)-first > largeObject {
		return -1
	}
	end := s.string(begin)
	if end < 0 {
		return -1
	}
	key := s.text[begin:end]
	for _, other := range s.keys[first:] {
		if s.text[other.begin:other.end] == key {
			return -1
		}
	}
	s.keys = append(s.keys, extent{begin, end})
	return end
}

func (s *skimmer) string(i int) int {
	text := s.text
	for i++; i < len(text); i++ {
		c := text[i]
		if plain[c] {
			continue
		}
		switch {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
			if c := s.at(i); c != '"' && c != '\\' && c != 'n' && c != 'r' && c != 't' {
				return -1
			}
		case c < 0x20:
			return -1
		default:
			_, width := utf8.DecodeRuneInString(text[i:])
			if width == 1 {
				return -1
			}
			i += width - 1
		}
	}
	return -1
}

// plain has the bytes that stand for themselves in a string: ASCII but for controls, " and \.
var plain = func() (is [256]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()
