package asl

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxFunctionText is the maximum length, in characters, of what is encoded, decoded
// and hashed, as AWS documents it.
const maxFunctionText = 10000

// stringToJSON reads a JSON text; a blank one is null.
func stringToJSON(_ scope, a []any) (any, error) {
	text, ok := a[0].(string)
	if !ok {
		return nil, errors.New("the argument is not a string")
	}
	if strings.Trim(text, " \t\r\n") == "" {
		return nil, nil
	}
	return parseJSON([]byte(text))
}

// shortText returns an argument that must be a string of at most maxFunctionText
// characters.
func shortText(v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%.100s is not a string", appendJSON(nil, v))
	}
	if n := utf8.RuneCountInString(text); n > maxFunctionText {
		return "", fmt.Errorf("the string has %d characters; at most %d are allowed", n, maxFunctionText)
	}
	return text, nil
}

func base64Encode(_ scope, a []any) (any, error) {
	text, err := shortText(a[0])
	return base64.StdEncoding.EncodeToString([]byte(text)), err
}

func base64Decode(_ scope, a []any) (any, error) {
	text, err := shortText(a[0])
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err == nil && !utf8.Valid(data) {
		err = errors.New("the decoded data is not a text in UTF-8")
	}
	return string(data), err
}

func hash(_ scope, a []any) (any, error) {
	text, err := shortText(a[0])
	if err != nil {
		return nil, err
	}
	data := []byte(text)
	var sum []byte
	switch a[1] {
	case "MD5":
		s := md5.Sum(data)
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum(data)
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256(data)
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384(data)
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512(data)
		sum = s[:]
	default:
		return nil, fmt.Errorf("there is no algorithm %.100s; use MD5, SHA-1, SHA-256, SHA-384 or SHA-512", appendJSON(nil, a[1]))
	}
	return hex.EncodeToString(sum), nil
}

// jsonMerge merges two objects, not deeply: the second one's members replace those
// of the first.
func jsonMerge(_ scope, a []any) (any, error) {
	first, ok1 := opened(a[0]).(*object)
	second, ok2 := opened(a[1]).(*object)
	switch {
	case !ok1 || !ok2:
		return nil, errors.New("an argument is not an object")
	case a[2] != false:
		return nil, errors.New("the third argument must be false: AWS supports no deep merge")
	}
	merged := &object{}
	for _, o := range []*object{first, second} {
		for _, m := range o.members {
			if i := merged.find(m.key); i >= 0 {
				merged.members[i].value = m.value
				continue
			}
			merged.add(m.key, m.value)
		}
	}
	return merged, nil
}

// stringSplit splits a string at each character of the second argument; there are
// no empty parts.
func stringSplit(_ scope, a []any) (any, error) {
	text, ok1 := a[0].(string)
	splitters, ok2 := a[1].(string)
	if !ok1 || !ok2 {
		return nil, errors.New("an argument is not a string")
	}
	parts := []any{}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(splitters, r) }) {
		parts = append(parts, part)
	}
	return parts, nil
}

// whole returns an argument that must be an integer of 64 bits.
func whole(v any) (int64, error) {
	n, _ := v.(number)
	i, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.100s is not an integer", appendJSON(nil, v))
	}
	return i, nil
}

// rounded returns an argument that must be a number, rounded to the nearest
// integer, halves upwards: -1.5 is -1.
func rounded(v any) (int64, error) {
	if i, err := whole(v); err == nil {
		return i, nil
	}
	n, ok := v.(number)
	f, err := strconv.ParseFloat(string(n), 64)
	if f = math.Floor(f + 0.5); !ok || err != nil || math.Abs(f) >= 1<<63 {
		return 0, fmt.Errorf("%.100s is not a number of 64 bits", appendJSON(nil, v))
	}
	return int64(f), nil
}

func mathAdd(_ scope, a []any) (any, error) {
	x, errX := rounded(a[0])
	y, errY := rounded(a[1])
	if err := errors.Join(errX, errY); err != nil {
		return nil, err
	}
	if sum := x + y; (sum > x) == (y > 0) {
		return integer(sum), nil
	}
	return nil, errors.New("the sum has more than 64 bits")
}

// mathRandom returns an integer from the first argument to the second, exclusive.
func mathRandom(s scope, a []any) (any, error) {
	low, errLow := rounded(a[0])
	high, errHigh := rounded(a[1])
	if err := errors.Join(errLow, errHigh); err != nil {
		return nil, err
	}
	if low >= high || high-low < 0 {
		return nil, fmt.Errorf("there is no integer from %d to %d, exclusive", low, high)
	}
	return integer(low + s.execution.random.Int64N(high-low)), nil
}

// uuid returns a random UUID, version 4, from the execution's seed.
func uuid(s scope, _ []any) (any, error) {
	high, low := s.execution.random.Uint64(), s.execution.random.Uint64()
	high = high&^0xf000 | 0x4000
	low = low&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", high>>32, high>>16&0xffff, high&0xffff, low>>48, low&(1<<48-1)), nil
}

// canonical appends a text that is the same for equal values.
func canonical(dst []byte, value any) []byte {
	switch v := opened(value).(type) {
	case number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return strconv.AppendInt(dst, i, 10)
		}
		if !strings.ContainsAny(string(v), ".eE") {
			return append(dst, v...) // an integer of more than 64 bits
		}
		f, _ := strconv.ParseFloat(string(v), 64) // an infinity beyond its range
		return append(strconv.AppendFloat(dst, f, 'g', -1, 64), 'f')
	case []any:
		dst = append(dst, '[')
		for _, element := range v {
			dst = append(canonical(dst, element), ',')
		}
		return append(dst, ']')
	case *object:
		members := slices.SortedFunc(slices.Values(v.members), func(a, b member) int { return strings.Compare(a.key, b.key) })
		dst = append(dst, '{')
		for _, m := range members {
			dst = append(appendString(dst, m.key), ':')
			dst = append(canonical(dst, m.value), ',')
		}
		return append(dst, '}')
	default:
		return appendJSON(dst, v)
	}
}
