package sequential

import (
	"math"
	"strconv"
)

// appendState appends the JSON of a stateJSON: what encoding/json writes, without
// reflection, as each check writes a dozen states. It returns false for numbers that
// JSON does not have.
func appendState(text []byte, logE float64, weights []float64) ([]byte, bool) {
	text, ok := appendNumber(append(text, `{"log-e":`...), logE)
	text, all := appendNumbers(append(text, `,"weights":`...), weights)
	return append(text, '}'), ok && all
}

// appendNumbers appends a list of numbers, as appendNumber does.
func appendNumbers(text []byte, numbers []float64) (_ []byte, ok bool) {
	ok = true
	for i, x := range numbers {
		written := false
		text, written = appendNumber(append(text, "[,"[min(i, 1)]), x)
		ok = ok && written
	}
	return append(text, ']'), ok
}

// appendNumber appends a number as encoding/json writes it, which is as ECMAScript does: with an
// exponent if it is very small or large. It returns false if JSON does not have it.
func appendNumber(text []byte, x float64) ([]byte, bool) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return text, false
	}
	format := byte('f')
	if size := math.Abs(x); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	text = strconv.AppendFloat(text, x, format, -1, 64)
	if n := len(text); format == 'e' && n >= 4 && text[n-4] == 'e' && text[n-2] == '0' { // e-09 is e-9
		text[n-2] = text[n-1]
		text = text[:n-1]
	}
	return text, true
}
