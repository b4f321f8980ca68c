package asl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// refPath is a path: $ (the input) or $$ (the context object), then members and
// array elements. If each step identifies exactly one node, it is a reference path.
//
// A member is written .name or ['name'] (or ["name"]; \ escapes the quote that
// ends the name and itself; before the other quote it is part of the name, as
// recorded on AWS 2025-02-02, by LocalStack's tests). A name after a dot takes
// letters, digits, _, - and whatever lies outside ASCII, so that $.detail-type is
// one name, as on AWS.
type refPath struct {
	text    string
	context bool
	many    bool // a step is a selection: the path identifies any number of nodes
	steps   []step
}

// step goes from an object to a member or from an array to an element.
type step struct {
	member  string
	element int        // -1 for a member
	several *selection // nil, or what it takes instead of one member or element
}

// parsePath reads a text that consists of one path.
func parsePath(text string) (refPath, error) {
	p, rest, err := scanPath(text)
	switch {
	case err != nil:
		return refPath{}, err
	case strings.HasPrefix(rest, "("):
		return refPath{}, errors.New("function calls in paths are not supported")
	case rest != "":
		r, _ := utf8.DecodeRuneInString(rest)
		return refPath{}, fmt.Errorf("%q is not part of a path; write such a name as ['…']", r)
	}
	return p, nil
}

// scanPath reads the path at the beginning of text and returns what follows it.
func scanPath(text string) (p refPath, rest string, err error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return p, text, errors.New("a path must begin with $")
	}
	if r, ok := strings.CutPrefix(rest, "$"); ok {
		p.context, rest = true, r
	} else if n := nameLength(rest); n > 0 {
		return p, rest, fmt.Errorf("variables ($%s) are not supported", rest[:n])
	}
	for err == nil && rest != "" {
		var s step
		switch {
		case strings.HasPrefix(rest, ".."):
			err = errors.New("recursive descent (..) is not supported")
		case strings.HasPrefix(rest, ".*"):
			s, rest = step{several: &selection{kind: everything}}, rest[2:]
		case rest[0] == '.':
			n := nameLength(rest[1:])
			if n == 0 {
				err = errors.New("a name is missing after a dot")
			}
			s, rest = step{member: rest[1 : 1+n], element: -1}, rest[1+n:]
		case rest[0] == '[':
			s, rest, err = scanBracket(rest[1:])
		default:
			p.text = text[:len(text)-len(rest)]
			return p, rest, nil
		}
		p.steps = append(p.steps, s)
		p.many = p.many || s.several != nil
	}
	p.text = text[:len(text)-len(rest)]
	return p, rest, err
}

// nameLength returns the length in bytes of the member's name at the beginning of
// text, as it may be written after a dot.
func nameLength(text string) int {
	for i, r := range text {
		if !(r == '_' || r == '-' || r >= utf8.RuneSelf && r != utf8.RuneError && !unicode.IsSpace(r) ||
			'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') {
			return i
		}
	}
	return len(text)
}

// scanBracket reads what follows a [, through the ], and returns the rest.
func scanBracket(text string) (step, string, error) {
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		return scanQuoted(text)
	}
	inside, rest, ok := strings.Cut(text, "]")
	index, err := strconv.Atoi(inside)
	switch {
	case strings.HasPrefix(inside, "?"):
		return step{}, text, errors.New("filters ([?…]) are not supported")
	case strings.HasPrefix(inside, "("):
		return step{}, text, errors.New("script expressions ([(…)]) are not supported")
	case !ok:
		return step{}, text, errors.New("a ] is missing")
	case inside == "*" || strings.ContainsAny(inside, ":,"):
		several, err := parseSelection(inside)
		return step{several: several}, rest, err
	case strings.HasPrefix(inside, "-"):
		return step{}, text, errors.New("negative indexes are not supported")
	case err != nil || inside != strconv.Itoa(index):
		return step{}, text, fmt.Errorf("[%s] is neither an index nor a quoted name", inside)
	}
	return step{element: index}, rest, nil
}

// scanQuoted reads a quoted name and the ] after it, and returns the rest.
func scanQuoted(text string) (step, string, error) {
	var name strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == '\\' || text[i+1] == text[0]):
			i++
			name.WriteByte(text[i])
		case c != text[0]:
			name.WriteByte(c)
		case strings.HasPrefix(text[i+1:], ","):
			return step{}, text, errors.New("unions (['a','b']) are not supported")
		case !strings.HasPrefix(text[i+1:], "]"):
			return step{}, text, errors.New("a ] is missing")
		default:
			return step{member: name.String(), element: -1}, text[i+2:], nil
		}
	}
	return step{}, text, errors.New("a quoted name is not closed")
}

// isRoot reports whether the path is $.
func (p refPath) isRoot() bool { return !p.context && len(p.steps) == 0 }

// get returns the node that the path identifies under root, and whether there is
// one.
func (p refPath) get(root any) (any, bool) {
	for _, s := range p.steps {
		var ok bool
		if root, ok = s.get(root); !ok {
			return nil, false
		}
	}
	return root, true
}

func (s step) get(node any) (any, bool) {
	if u, ok := node.(*unread); ok && s.element < 0 {
		return u.member(s.member)
	}
	switch node := opened(node).(type) {
	case *object:
		if s.element < 0 {
			return node.get(s.member)
		}
	case []any:
		if s.element >= 0 && s.element < len(node) {
			return node[s.element], true
		}
	}
	return nil, false
}

// put returns a copy of root in which the node that the path identifies is set to
// value. It copies along the path and shares the rest, and creates missing
// objects on the way. It returns false if the path leads through anything else: a
// member of something that is not an object, or an element that does not exist.
func (p refPath) put(root, value any) (any, bool) { return put(root, p.steps, value) }

func put(node any, steps []step, value any) (any, bool) {
	if len(steps) == 0 {
		return value, true
	}
	s := steps[0]
	child, exists := s.get(node)
	if !exists && len(steps) > 1 {
		child = &object{}
	}
	child, ok := put(child, steps[1:], value)
	if !ok {
		return nil, false
	}
	switch node := opened(node).(type) {
	case *object:
		if s.element < 0 {
			return node.with(s.member, child), true
		}
	case []any:
		if exists {
			list := append([]any(nil), node...)
			list[s.element] = child
			return list, true
		}
	}
	return nil, false
}
