package asl

import (
	"errors"
	"fmt"
	"strings"
)

// maxNesting is the maximum depth of nested calls of intrinsic functions, as on AWS.
const maxNesting = 10

// call is a call of an intrinsic function.
type call struct {
	text      string // as it was written
	function  string
	arguments []expr
}

// constant is a literal argument. raw keeps a string's escapes, which
// States.Format needs to distinguish \{ from {.
type constant struct {
	value any
	raw   string
}

func (c constant) eval(scope, string) (any, error) { return c.value, nil }

// parseCall reads a text that consists of one call.
func parseCall(text string) (expr, error) {
	c, rest, err := scanCall(text, 1)
	if err == nil && rest != "" {
		err = fmt.Errorf("unexpected %q after the function call", rest)
	}
	return c, err
}

// scanCall reads the call at the beginning of text and returns what follows it.
// depth is how deep the call is nested, from 1.
func scanCall(text string, depth int) (call, string, error) {
	name, rest, ok := strings.Cut(text, "(")
	if !ok || !strings.HasPrefix(name, "States.") {
		return call{}, text, errors.New("neither a path ($…) nor an intrinsic function (States.…(…))")
	}
	if depth > maxNesting {
		return call{}, text, fmt.Errorf("intrinsic functions nest deeper than %d levels", maxNesting)
	}
	c := call{function: name}
	rest = strings.TrimLeft(rest, " ")
	for !strings.HasPrefix(rest, ")") {
		if len(c.arguments) > 0 {
			if rest, ok = strings.CutPrefix(rest, ","); !ok {
				return c, rest, fmt.Errorf("%s: a comma or ) is missing", name)
			}
			rest = strings.TrimLeft(rest, " ")
		}
		argument, after, err := scanArgument(rest, depth)
		if err != nil {
			return c, rest, err
		}
		c.arguments = append(c.arguments, argument)
		rest = strings.TrimLeft(after, " ")
	}
	rest = rest[1:]
	c.text = text[:len(text)-len(rest)]
	return c, rest, c.check()
}

// scanArgument reads the argument at the beginning of text and returns what
// follows it.
func scanArgument(text string, depth int) (expr, string, error) {
	switch {
	case strings.HasPrefix(text, "$"):
		p, rest, err := scanPath(text)
		return p, rest, err
	case strings.HasPrefix(text, "'"):
		return scanText(text)
	case strings.HasPrefix(text, "States."):
		return scanCall(text, depth+1)
	}
	end := strings.IndexAny(text, ",) ")
	if end < 0 {
		return nil, text, errors.New("a ) is missing")
	}
	v, err := parseJSON([]byte(text[:end]))
	if err != nil || text[0] == '"' || text[0] == '{' || text[0] == '[' {
		return nil, text, fmt.Errorf("%q is not an argument; use a path, 'text', a number, true, false, null or a function", text[:end])
	}
	return constant{value: v}, text[end:], nil
}

// scanText reads a string in single quotes and returns what follows it. A \
// escapes ' { } and itself.
func scanText(text string) (expr, string, error) {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			if i >= len(text) || !strings.ContainsRune(`'{}\`, rune(text[i])) {
				return nil, text, errors.New(`\ is allowed only before ', {, } and \`)
			}
		case '\'':
			raw := text[1:i]
			return constant{value: unescape(raw), raw: raw}, text[i+1:], nil
		}
	}
	return nil, text, errors.New("a string in single quotes is not closed")
}

// unescape removes each \ that escapes a character.
func unescape(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) {
			i++
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

// check returns an error for a call that would always fail when it runs.
func (c call) check() error {
	n := len(c.arguments)
	switch c.function {
	case "States.StringToJson", "States.JsonToString":
		if n != 1 {
			return fmt.Errorf("%s takes 1 argument, not %d", c.function, n)
		}
		return nil
	case "States.Format":
		if n == 0 {
			return errors.New("States.Format takes a template")
		}
		t, ok := c.arguments[0].(constant)
		if !ok {
			return nil
		}
		if _, ok := t.value.(string); !ok {
			return errors.New("the template of States.Format is not a string")
		}
		pieces, err := formatPieces(t.raw)
		if err == nil && len(pieces) != n {
			err = fmt.Errorf("States.Format has %d place(s) {} and %d value(s)", len(pieces)-1, n-1)
		}
		return err
	}
	return fmt.Errorf("the intrinsic function %s is not supported; use States.Format, States.StringToJson or States.JsonToString", c.function)
}

// eval implements expr.
func (c call) eval(s scope, field string) (any, error) {
	values := make([]any, len(c.arguments))
	for i, argument := range c.arguments {
		if p, ok := argument.(refPath); ok {
			v, ok := s.lookup(p)
			if !ok {
				return nil, failf(errorRuntime, "The function '%s' had the following error: The JsonPath argument for the field '%s' could not be found in the input '%s'",
					c.text, p.text, s.inputText(p))
			}
			values[i] = v
			continue
		}
		v, err := argument.eval(s, field)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	v, err := c.apply(values)
	if err != nil {
		return nil, failf(errorIntrinsic, "The function '%s' had the following error: %v", c.text, err)
	}
	return v, nil
}

// apply calls the function. Its errors become the causes of
// States.IntrinsicFailure.
func (c call) apply(values []any) (any, error) {
	switch c.function {
	case "States.JsonToString":
		return string(appendJSON(nil, values[0])), nil
	case "States.StringToJson":
		text, ok := values[0].(string)
		if !ok {
			return nil, errors.New("the argument is not a string")
		}
		return parseJSON([]byte(text))
	}
	raw, ok := values[0].(string)
	if t, isConstant := c.arguments[0].(constant); isConstant {
		raw = t.raw
	} else if !ok {
		return nil, errors.New("the template is not a string")
	}
	return format(raw, values[1:])
}

// format inserts the values at the places {} of the template. It refuses objects
// and arrays, because AWS does not document what it prints for them.
func format(template string, values []any) (any, error) {
	pieces, err := formatPieces(template)
	if err != nil {
		return nil, err
	}
	if len(pieces) != len(values)+1 {
		return nil, fmt.Errorf("there are %d place(s) {} and %d value(s)", len(pieces)-1, len(values))
	}
	text := []byte(pieces[0])
	for i, v := range values {
		switch v := v.(type) {
		case string:
			text = append(text, v...)
		case *object, []any, *unread:
			return nil, errors.New("a value is an object or an array; convert it with States.JsonToString")
		default:
			text = appendJSON(text, v)
		}
		text = append(text, pieces[i+1]...)
	}
	return string(text), nil
}

// formatPieces splits a template at its places {}. A brace that is not part of {}
// must be escaped.
func formatPieces(template string) ([]string, error) {
	var pieces []string
	begin := 0
	for i := 0; i < len(template); i++ {
		switch template[i] {
		case '\\':
			i++
		case '{':
			if !strings.HasPrefix(template[i:], "{}") {
				return nil, fmt.Errorf(`the template has a { that neither begins {} nor is escaped as \{`)
			}
			pieces = append(pieces, unescape(template[begin:i]))
			i++
			begin = i + 1
		case '}':
			return nil, fmt.Errorf(`the template has a } that neither ends {} nor is escaped as \}`)
		}
	}
	return append(pieces, unescape(template[begin:])), nil
}
