package asl

import (
	"errors"
	"fmt"
	"strings"
)

// maxNesting is how deep calls of intrinsic functions may nest, on AWS too.
const maxNesting = 10

// call is a call of an intrinsic function.
type call struct {
	text      string // as it was written
	function  string
	arguments []expr
}

// constant is a literal argument. raw keeps a string's escapes, which
// States.Format needs to tell \{ from {.
type constant struct {
	value any
	raw   string
}

func (c constant) eval(scope, string) (any, error) { return c.value, nil }

// parseCall reads a text that is a call and nothing else.
func parseCall(text string) (expr, error) {
	c, rest, err := scanCall(text, 1)
	if err == nil && rest != "" {
		err = fmt.Errorf("unexpected %q after the function call", rest)
	}
	return c, err
}

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
		return nil, text, fmt.Errorf("%q is no argument: paths, 'text', numbers, true, false, null and functions are", text[:end])
	}
	return constant{value: v}, text[end:], nil
}

// scanText reads a string in single quotes. A \ escapes ' { } and itself.
func scanText(text string) (expr, string, error) {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			if i >= len(text) || !strings.ContainsRune(`'{}\`, rune(text[i])) {
				return nil, text, errors.New(`\ stands only before ', {, } and \`)
			}
		case '\'':
			raw := text[1:i]
			return constant{value: unescape(raw), raw: raw}, text[i+1:], nil
		}
	}
	return nil, text, errors.New("a string in single quotes does not end")
}

// unescape takes away each \ that escapes.
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

// check refuses what could only fail when it runs.
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
			return errors.New("the template of States.Format is no string")
		}
		pieces, err := formatPieces(t.raw)
		if err == nil && len(pieces) != n {
			err = fmt.Errorf("States.Format has %d place(s) {} and %d value(s)", len(pieces)-1, n-1)
		}
		return err
	}
	return fmt.Errorf("the intrinsic function %s is not known here (States.Format, States.StringToJson and States.JsonToString are)", c.function)
}

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

// apply calls the function. Its errors are the causes of States.IntrinsicFailure.
func (c call) apply(values []any) (any, error) {
	switch c.function {
	case "States.JsonToString":
		return string(appendJSON(nil, values[0])), nil
	case "States.StringToJson":
		text, ok := values[0].(string)
		if !ok {
			return nil, errors.New("the argument is no string")
		}
		return parseJSON([]byte(text))
	}
	raw, ok := values[0].(string)
	if t, isConstant := c.arguments[0].(constant); isConstant {
		raw = t.raw
	} else if !ok {
		return nil, errors.New("the template is no string")
	}
	return format(raw, values[1:])
}

// format puts the values in the places {} of the template. Objects and arrays
// are refused: what AWS prints for them is documented nowhere.
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
			return nil, errors.New("a value is an object or an array: States.JsonToString makes a string of it")
		default:
			text = appendJSON(text, v)
		}
		text = append(text, pieces[i+1]...)
	}
	return string(text), nil
}

// formatPieces cuts a template at its places {}. A brace that is not part of
// {} has to be escaped.
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
