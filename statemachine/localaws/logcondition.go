package localaws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// logCondition is a JSON pattern, applied to a message that is JSON.
type logCondition func(value any) bool

// conditionParser reads a JSON pattern:
//
//	{ $.selector operator value }
//
// with the operators =, !=, <, >, <= and >=, with IS TRUE, IS FALSE, IS NULL and NOT EXISTS in the place of operator and value,
// and with &&, || and parentheses between such comparisons. A selector consists of names after dots and of indices in brackets.
// A value is a number, or a text: with quotes if it has anything but letters, digits and underscores. An asterisk in a text that
// is compared by = or != stands for any characters. Numbers are compared with numbers, and texts with texts; where the kinds
// differ, or the property is missing, nothing but NOT EXISTS matches.
type conditionParser struct {
	pattern, rest string
	depth         int
}

func parseLogCondition(pattern string) (logCondition, *apiError) {
	p := &conditionParser{pattern: pattern, rest: pattern[1:]}
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take("}") || p.next() != 0 {
		return nil, p.fail("} is missing, or something follows it")
	}
	return c, nil
}

func (p *conditionParser) fail(why string) *apiError {
	return badPattern(p.pattern, fmt.Sprintf("%s, at %q", why, p.rest))
}

// next returns the next byte that is no space, without taking it; 0 at the end.
func (p *conditionParser) next() byte {
	p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace)
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// take takes a token if it is the next.
func (p *conditionParser) take(token string) bool {
	p.next()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// takeWords takes words separated by spaces if they are the next.
func (p *conditionParser) takeWords(words ...string) bool {
	was := p.rest
	for _, word := range words {
		if !p.take(word) || p.rest != "" && isTextByte(p.rest[0]) {
			p.rest = was
			return false
		}
	}
	return true
}

func isTextByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

func (p *conditionParser) or() (logCondition, *apiError) {
	left, err := p.and()
	for err == nil && p.take("||") {
		var right logCondition
		was := left
		right, err = p.and()
		left = func(v any) bool { return was(v) || right(v) }
	}
	return left, err
}

func (p *conditionParser) and() (logCondition, *apiError) {
	left, err := p.comparison()
	for err == nil && p.take("&&") {
		var right logCondition
		was := left
		right, err = p.comparison()
		left = func(v any) bool { return was(v) && right(v) }
	}
	return left, err
}

func (p *conditionParser) comparison() (logCondition, *apiError) {
	if p.take("(") {
		if p.depth++; p.depth > 50 {
			return nil, p.fail("too many parentheses")
		}
		c, err := p.or()
		if err == nil && !p.take(")") {
			err = p.fail(") is missing")
		}
		p.depth--
		return c, err
	}
	property, err := p.selector()
	if err != nil {
		return nil, err
	}
	is := func(want any) logCondition {
		return func(v any) bool { got, ok := property(v); return ok && got == want }
	}
	switch {
	case p.takeWords("IS", "TRUE"):
		return is(true), nil
	case p.takeWords("IS", "FALSE"):
		return is(false), nil
	case p.takeWords("IS", "NULL"):
		return is(nil), nil
	case p.takeWords("NOT", "EXISTS"):
		return func(v any) bool { _, ok := property(v); return !ok }, nil
	}
	for _, operator := range []string{"!=", "<=", ">=", "=", "<", ">"} {
		if p.take(operator) {
			return p.operand(operator, property)
		}
	}
	return nil, p.fail("the local AWS does not support this operator")
}

// selector reads a selector and returns a function that selects the property.
func (p *conditionParser) selector() (func(any) (any, bool), *apiError) {
	if !p.take("$") {
		return nil, p.fail("a selector begins with $")
	}
	var steps []func(any) (any, bool)
	for {
		switch {
		case strings.HasPrefix(p.rest, "."):
			end := 1
			for end < len(p.rest) && (isTextByte(p.rest[end]) || p.rest[end] == '-') {
				end++
			}
			name := p.rest[1:end]
			if name == "" {
				return nil, p.fail("a name is missing, or of a form that the local AWS does not support")
			}
			p.rest = p.rest[end:]
			steps = append(steps, func(v any) (any, bool) {
				object, _ := v.(map[string]any)
				got, ok := object[name]
				return got, ok
			})
		case strings.HasPrefix(p.rest, "["):
			number, rest, _ := strings.Cut(p.rest[1:], "]")
			index, err := strconv.Atoi(number)
			if err != nil || index < 0 {
				return nil, p.fail("the local AWS supports only numbers in brackets")
			}
			p.rest = rest
			steps = append(steps, func(v any) (any, bool) {
				array, _ := v.([]any)
				if index >= len(array) {
					return nil, false
				}
				return array[index], true
			})
		case len(steps) == 0:
			return nil, p.fail("a name is missing after $")
		default:
			return func(v any) (any, bool) {
				ok := true
				for _, step := range steps {
					if v, ok = step(v); !ok {
						return nil, false
					}
				}
				return v, true
			}, nil
		}
	}
}

var patternNumber = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?`)

// operand reads the value on the right of an operator and returns the comparison.
func (p *conditionParser) operand(operator string, property func(any) (any, bool)) (logCondition, *apiError) {
	switch c := p.next(); {
	case c == '%':
		return nil, p.fail("the local AWS does not support regular expressions")
	case c == '"':
		text, rest, ok := cutQuoted(p.rest)
		if !ok {
			return nil, p.fail("a double quote is missing")
		}
		p.rest = rest
		return p.textual(operator, text, property)
	}
	if number := patternNumber.FindString(p.rest); number != "" && (len(number) == len(p.rest) || !isTextByte(p.rest[len(number)])) {
		want, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, p.fail("this number is too large")
		}
		p.rest = p.rest[len(number):]
		return func(v any) bool {
			got, _ := property(v)
			number, ok := got.(json.Number)
			x, err := number.Float64()
			return ok && err == nil && compares(operator, x, want)
		}, nil
	}
	end := 0
	for end < len(p.rest) && (isTextByte(p.rest[end]) || p.rest[end] == '*') {
		end++
	}
	if end == 0 {
		return nil, p.fail("a value is missing, or needs double quotes")
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	return p.textual(operator, text, property)
}

// textual returns the comparison with a text.
func (p *conditionParser) textual(operator, text string, property func(any) (any, bool)) (logCondition, *apiError) {
	if operator != "=" && operator != "!=" {
		return nil, p.fail("texts can only be compared by = and !=")
	}
	parts := strings.Split(text, "*")
	return func(v any) bool {
		got, _ := property(v)
		found, ok := got.(string)
		return ok && matchesParts(found, parts) == (operator == "=")
	}, nil
}

// matchesParts reports whether a text consists of the parts, in their order, with anything between them.
func matchesParts(text string, parts []string) bool {
	last := len(parts) - 1
	if last == 0 {
		return text == parts[0]
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}

func compares(operator string, x, y float64) bool {
	switch operator {
	case "=":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}
