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

// check returns an error for a call that would always fail when it runs, and for
// one that is not supported.
func (c call) check() error {
	f, ok := intrinsics[c.function]
	if !ok {
		return fmt.Errorf("there is no intrinsic function %s", c.function)
	}
	n := len(c.arguments)
	switch {
	case c.function == "States.MathRandom" && n == 3:
		return errors.New("the seed of States.MathRandom is not supported: AWS does not document the numbers that follow from it")
	case n < f.least || f.most >= 0 && n > f.most:
		return fmt.Errorf("%s takes %s, not %d", c.function, f.takes(), n)
	case c.function == "States.Format":
		return c.checkFormat()
	}
	return nil
}

// checkFormat returns an error if a literal template does not fit the values.
func (c call) checkFormat() error {
	t, ok := c.arguments[0].(constant)
	if !ok {
		return nil
	}
	if _, ok := t.value.(string); !ok {
		return errors.New("the template of States.Format is not a string")
	}
	pieces, err := formatPieces(t.raw)
	if err == nil && len(pieces) != len(c.arguments) {
		err = fmt.Errorf("States.Format has %d place(s) {} and %d value(s)", len(pieces)-1, len(c.arguments)-1)
	}
	return err
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
	v, err := c.apply(s, values)
	if err != nil {
		return nil, failf(errorIntrinsic, "The function '%s' had the following error: %v", c.text, err)
	}
	return v, nil
}

// apply calls the function. Its errors become the causes of
// States.IntrinsicFailure.
func (c call) apply(s scope, values []any) (any, error) {
	if c.function == "States.Format" {
		if t, isConstant := c.arguments[0].(constant); isConstant {
			return format(t.raw, values[1:])
		}
	}
	return intrinsics[c.function].apply(s, values)
}
