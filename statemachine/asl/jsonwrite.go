package asl

import (
	"strings"
	"unicode/utf8"
)

// appendJSON appends a value to dst as compact JSON. It escapes only what JSON
// requires.
func appendJSON(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		if v {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case number:
		return append(dst, v...)
	case string:
		return appendString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, element)
		}
		return append(dst, ']')
	case *object:
		return appendObject(dst, v, nil)
	case *unread:
		return append(dst, v.text...)
	}
	panic("asl: not a JSON value")
}

// appendObject is appendJSON for an object. It copies the texts of known documents that are
// its members.
func appendObject(dst []byte, o *object, known []document) []byte {
	dst = append(dst, '{')
	for i := range o.members {
		m := &o.members[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, m.key), ':')
		if k := indexOf(m.value, known); k >= 0 {
			dst = append(dst, known[k].text...)
		} else {
			dst = appendJSON(dst, m.value)
		}
	}
	return append(dst, '}')
}

// appendString appends s to dst as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	dst = append(dst, '"')
	begin := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[begin:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		begin = i + 1
	}
	return append(append(dst, s[begin:]...), '"')
}
