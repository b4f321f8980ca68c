// Package jsonappend writes JSON by hand, byte for byte as encoding/json writes it. That
// package reads again what each MarshalJSON returned, once for each level of nesting, which
// takes most of the time where a document is made of many small values.
package jsonappend

import (
	"math"
	"strconv"
	"time"
)

// Text is JSON that is being written. Its zero value is empty. Its methods append to it; the
// caller is responsible for their order.
type Text struct {
	bytes   []byte
	invalid bool
}

// New returns an empty Text with room for so many bytes.
func New(room int) Text { return Text{bytes: make([]byte, 0, room)} }

// Bytes returns what was written, and false if that is no JSON, because JSON does not have
// some number or time in it: encoding/json returns an error for it.
func (t *Text) Bytes() (_ []byte, ok bool) { return t.bytes, !t.invalid }

// Open begins an object.
func (t *Text) Open() { t.bytes = append(t.bytes, '{') }

// Name writes the name of an object's next member. It must need no escapes.
func (t *Text) Name(name string) {
	if n := len(t.bytes); t.bytes[n-1] != '{' {
		t.bytes = append(t.bytes, ',')
	}
	t.bytes = append(t.bytes, '"')
	t.bytes = append(t.bytes, name...)
	t.bytes = append(t.bytes, '"', ':')
}

// Close ends an object.
func (t *Text) Close() { t.bytes = append(t.bytes, '}') }

// Null writes null.
func (t *Text) Null() { t.bytes = append(t.bytes, "null"...) }

// Bool writes a boolean.
func (t *Text) Bool(is bool) { t.bytes = strconv.AppendBool(t.bytes, is) }

// Int writes a whole number.
func (t *Text) Int(n int64) { t.bytes = strconv.AppendInt(t.bytes, n, 10) }

// Float writes a number as ECMAScript does: with an exponent if it is very small or large. JSON
// does not have NaN and the infinities.
func (t *Text) Float(x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		t.invalid = true
		return
	}
	format := byte('f')
	if size := math.Abs(x); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	t.bytes = strconv.AppendFloat(t.bytes, x, format, -1, 64)
	if n := len(t.bytes); format == 'e' && t.bytes[n-4] == 'e' && t.bytes[n-2] == '0' { // e-09 is e-9
		t.bytes[n-2] = t.bytes[n-1]
		t.bytes = t.bytes[:n-1]
	}
}

// Floats writes a list of numbers.
func (t *Text) Floats(numbers []float64) {
	List(t, numbers, func(x *float64, t *Text) { t.Float(*x) })
}

// Ints writes a list of whole numbers.
func (t *Text) Ints(numbers []int64) {
	List(t, numbers, func(n *int64, t *Text) { t.Int(*n) })
}

// List writes a list, each item with write.
func List[T any](t *Text, items []T, write func(*T, *Text)) {
	t.bytes = append(t.bytes, '[')
	for i := range items {
		if i > 0 {
			t.bytes = append(t.bytes, ',')
		}
		write(&items[i], t)
	}
	t.bytes = append(t.bytes, ']')
}

// Some writes an object's next member, its value with write, unless that is zero: as
// encoding/json does with omitzero.
func Some[T comparable](t *Text, name string, value *T, write func(*T, *Text)) {
	if *value != *new(T) {
		t.Name(name)
		write(value, t)
	}
}

// Time writes a time. JSON has none of a year beyond 9999.
func (t *Text) Time(at time.Time) {
	t.bytes = append(t.bytes, '"')
	text, err := at.AppendText(t.bytes)
	if err != nil {
		t.invalid = true
		return
	}
	t.bytes = append(text, '"')
}
