package asl

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// condition is a Choice rule without its Next.
type condition interface {
	// holds reports whether the condition is true in the scope. The error is a
	// States.Runtime failure.
	holds(s scope) (bool, error)
}

// allOf is And.
type allOf []condition

func (c allOf) holds(s scope) (bool, error) {
	for _, part := range c {
		if ok, err := part.holds(s); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// anyOf is Or.
type anyOf []condition

func (c anyOf) holds(s scope) (bool, error) {
	for _, part := range c {
		if ok, err := part.holds(s); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// negation is Not.
type negation struct{ of condition }

func (c negation) holds(s scope) (bool, error) {
	ok, err := c.of.holds(s)
	return !ok, err
}

// comparison is a rule about one variable. It is false for values of another
// type than the operator's. A path that leads nowhere fails with States.Runtime,
// except for IsPresent.
type comparison struct {
	variable refPath
	operator operator
	operand  any     // unless the operator takes a path
	path     refPath // if it does
}

func (c comparison) holds(s scope) (bool, error) {
	v, present := s.lookup(c.variable)
	if c.operator.test == "IsPresent" {
		return present == c.operand.(bool), nil
	}
	if !present {
		return false, invalidCondition(c.variable)
	}
	operand := c.operand
	if c.operator.takesPath {
		if operand, present = s.lookup(c.path); !present {
			return false, invalidCondition(c.path)
		}
	}
	return c.operator.apply(v, operand), nil
}

// invalidCondition returns the failure of a comparison whose path leads nowhere.
func invalidCondition(p refPath) error {
	return failf(errorRuntime, "Invalid path '%s': The choice state's condition path references an invalid value.", p.text)
}

// operator is a comparison operator, split into its parts:
// StringLessThanEqualsPath has the type String and the relation LessThanEquals
// and takes a path. StringMatches and the Is… tests have only their name, in test.
type operator struct {
	operandType, relation string
	takesPath             bool
	test                  string
}

// parseOperator splits a comparison operator's name into its parts. It returns
// false if there is no such operator.
func parseOperator(name string) (operator, bool) {
	switch name {
	case "StringMatches", "IsPresent", "IsNull", "IsString", "IsNumeric", "IsBoolean", "IsTimestamp":
		return operator{test: name}, true
	}
	rest, takesPath := strings.CutSuffix(name, "Path")
	for _, t := range []string{"String", "Numeric", "Boolean", "Timestamp"} {
		relation, ok := strings.CutPrefix(rest, t)
		if !ok {
			continue
		}
		switch relation {
		case "GreaterThan", "GreaterThanEquals", "LessThan", "LessThanEquals":
			return operator{t, relation, takesPath, ""}, t != "Boolean"
		case "Equals":
			return operator{t, relation, takesPath, ""}, true
		}
	}
	return operator{}, false
}

// accepts reports whether a literal operand has the operator's type.
func (o operator) accepts(operand any) bool {
	switch {
	case o.test == "StringMatches":
		return typed("String", operand)
	case o.test != "":
		return typed("Boolean", operand)
	}
	return typed(o.operandType, operand)
}

// typed reports whether v has the operand type: String, Numeric, Boolean or
// Timestamp.
func typed(operandType string, v any) bool {
	var ok bool
	switch operandType {
	case "String":
		_, ok = v.(string)
	case "Numeric":
		_, ok = v.(number)
	case "Boolean":
		_, ok = v.(bool)
	case "Timestamp":
		_, ok = timestamp(v)
	}
	return ok
}

// apply reports whether the comparison of v with the operand is true.
func (o operator) apply(v, operand any) bool {
	if o.test == "StringMatches" {
		s, ok := v.(string)
		return ok && wildcardMatch(operand.(string), s)
	}
	if o.test == "IsNull" {
		return (v == nil) == operand.(bool)
	}
	if kind, ok := strings.CutPrefix(o.test, "Is"); ok {
		return typed(kind, v) == operand.(bool)
	}
	if !typed(o.operandType, v) || !typed(o.operandType, operand) {
		return false
	}
	var order int
	switch o.operandType {
	case "String":
		order = cmp.Compare(v.(string), operand.(string))
	case "Numeric":
		order = compareNumbers(v.(number), operand.(number))
	case "Boolean":
		return v == operand
	case "Timestamp":
		a, _ := timestamp(v)
		b, _ := timestamp(operand)
		order = a.Compare(b)
	}
	switch o.relation {
	case "Equals":
		return order == 0
	case "GreaterThan":
		return order > 0
	case "GreaterThanEquals":
		return order >= 0
	case "LessThan":
		return order < 0
	}
	return order <= 0
}

// compareNumbers compares 64-bit integers exactly and other numbers as IEEE 754
// doubles, which is the precision that the language guarantees.
func compareNumbers(a, b number) int {
	x, errX := strconv.ParseInt(string(a), 10, 64)
	y, errY := strconv.ParseInt(string(b), 10, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	// Beyond a double's range ParseFloat returns an infinity, which compares correctly.
	f, _ := strconv.ParseFloat(string(a), 64)
	g, _ := strconv.ParseFloat(string(b), 64)
	return cmp.Compare(f, g)
}

// timestamp reads a timestamp: RFC 3339 with an upper-case T and a zone. It
// returns false if v is not one.
func timestamp(v any) (time.Time, bool) {
	s, ok := v.(string)
	if !ok || strings.Contains(s, ",") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

// wildcardMatch reports whether s matches the pattern, in which * matches any
// text, \* a star and \\ a backslash.
func wildcardMatch(pattern, s string) bool {
	star, mark := -1, 0 // the last star, and where in s its text ends so far
	p, i := 0, 0
	for i < len(s) {
		c, width := patternByte(pattern, p)
		switch {
		case width == 1 && c == '*':
			star, mark = p, i
			p++
		case width > 0 && c == s[i]:
			p += width
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// patternByte returns the byte at position p of the pattern and its width in
// the pattern: two bytes when it is escaped, none at the end.
func patternByte(pattern string, p int) (byte, int) {
	switch {
	case p >= len(pattern):
		return 0, 0
	case pattern[p] == '\\' && p+1 < len(pattern) && (pattern[p+1] == '*' || pattern[p+1] == '\\'):
		return pattern[p+1], 2
	}
	return pattern[p], 1
}
