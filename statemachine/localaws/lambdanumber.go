package localaws

import (
	"math"
	"strconv"
	"strings"
)

// javaDouble formats a number as Lambda's messages do, which are written in Java: 2 is 2.0, and 1e-05 is 1.0E-5.
func javaDouble(x float64) string {
	if size := math.Abs(x); size != 0 && (size < 1e-3 || size >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		return mantissa + "E" + strings.Replace(strings.TrimLeft(strings.TrimPrefix(exponent, "+"), "0"), "-0", "-", 1)
	}
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
