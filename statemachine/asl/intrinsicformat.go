package asl

import (
	"fmt"
	"strings"
)

// format inserts the values at the places {} of the template.
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
		text = appendPlain(text, v)
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

// appendPlain appends a value as States.Format prints it: strings without quotes,
// objects and arrays as {Name=value, Other=[1, 2]} (recorded on AWS 2023-02-09 and
// 2023-11-26, by LocalStack's tests), everything else as JSON.
func appendPlain(dst []byte, value any) []byte {
	switch v := opened(value).(type) {
	case string:
		return append(dst, v...)
	case []any:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendPlain(dst, element)
		}
		return append(dst, ']')
	case *object:
		dst = append(dst, '{')
		for i, m := range v.members {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(append(dst, m.key...), '=')
			dst = appendPlain(dst, m.value)
		}
		return append(dst, '}')
	default:
		return appendJSON(dst, v)
	}
}
