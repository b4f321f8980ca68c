package asl

import (
	"fmt"
	"strconv"
	"strings"
)

// selection is a step of a path to any number of nodes.
type selection struct {
	kind     selectionKind
	from, to int   // of a slice; to is unlimited if it is noEnd
	elements []int // of a union
}

type selectionKind int

const (
	everything selectionKind = iota // .* and [*]
	slice                           // [a:b], [a:], [:b]; a negative a without b, or b without a, counts from the end
	union                           // [a,b]
)

const noEnd = int(^uint(0) >> 1)

// parseSelection reads what stands between the brackets of a selection.
func parseSelection(text string) (*selection, error) {
	if text == "*" {
		return &selection{kind: everything}, nil
	}
	if from, to, ok := strings.Cut(text, ":"); ok {
		return parseSlice(text, from, to)
	}
	s := &selection{kind: union}
	for _, part := range strings.Split(text, ",") {
		i, err := strconv.Atoi(strings.Trim(part, " "))
		if err != nil || i < 0 {
			return nil, fmt.Errorf("[%s] is not supported; a union takes indexes from 0", text)
		}
		s.elements = append(s.elements, i)
	}
	return s, nil
}

func parseSlice(text, from, to string) (*selection, error) {
	s := &selection{kind: slice, to: noEnd}
	var errFrom, errTo error
	if from != "" {
		s.from, errFrom = strconv.Atoi(from)
	}
	if to != "" {
		s.to, errTo = strconv.Atoi(to)
	}
	switch {
	case errFrom != nil || errTo != nil || from == "" && to == "":
		return nil, fmt.Errorf("[%s] is not a slice: use [a:b], [a:] or [:b]", text)
	case from != "" && to != "" && (s.from < 0 || s.to < 0):
		return nil, fmt.Errorf("[%s] is not supported: a slice with both ends takes no negative index", text)
	}
	return s, nil
}

// nodes returns the values that the path identifies under root, in their order.
// What a step can't be applied to has none: on AWS, such a path that leads nowhere
// gives an empty array (recorded 2025-04-01, by LocalStack's tests).
func (p refPath) nodes(root any) []any {
	found := []any{root}
	for _, s := range p.steps {
		next := []any{}
		for _, node := range found {
			next = s.appendTo(next, node)
		}
		found = next
	}
	return found
}

// appendTo appends the nodes to which the step goes from a node.
func (s step) appendTo(list []any, node any) []any {
	if s.several == nil {
		if v, ok := s.get(node); ok {
			list = append(list, v)
		}
		return list
	}
	switch node := opened(node).(type) {
	case *object:
		if s.several.kind == everything {
			for _, m := range node.members {
				list = append(list, m.value)
			}
		}
	case []any:
		list = s.several.appendElements(list, node)
	}
	return list
}

func (s *selection) appendElements(list, array []any) []any {
	switch s.kind {
	case everything:
		return append(list, array...)
	case union:
		for _, i := range s.elements {
			if i < len(array) {
				list = append(list, array[i])
			}
		}
		return list
	}
	from, to := s.from, min(s.to, len(array))
	if from < 0 {
		from = max(0, from+len(array))
	}
	if to < 0 {
		to += len(array)
	}
	if from >= to {
		return list
	}
	return append(list, array[from:to]...)
}

// normal returns the path's first n steps in brackets, as causes print it.
func (p refPath) normal(n int) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range p.steps[:n] {
		if s.element < 0 {
			fmt.Fprintf(&b, "['%s']", s.member)
		} else {
			fmt.Fprintf(&b, "[%d]", s.element)
		}
	}
	return b.String()
}

// missing says why a reference path leads nowhere under root. The texts for members
// that are not there were recorded on AWS 2023-11-23 and 2025-01-02, by LocalStack's
// tests.
func (p refPath) missing(root any) string {
	for i, s := range p.steps {
		next, ok := s.get(root)
		if ok {
			root = next
			continue
		}
		_, isObject := opened(root).(*object)
		if s.element < 0 && !isObject {
			return fmt.Sprintf("Expected to find an object with property ['%s'] in path %s", s.member, p.normal(i))
		}
		if s.element < 0 && i < len(p.steps)-1 {
			return "Missing property in path " + p.normal(i+1)
		}
		break
	}
	return "No results for path: " + p.normal(len(p.steps))
}
