package gates

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// document decodes JSON, and keeps numbers as they are written.
func document(text []byte) (any, error) {
	if !json.Valid(text) {
		return nil, errors.New("not JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// walk returns the value at a path in a document; false if there is none.
func walk(value any, steps []rollout.PathStep) (any, bool) {
	for _, step := range steps {
		if step.Field != "" {
			fields, _ := value.(map[string]any)
			inner, ok := fields[step.Field]
			if !ok {
				return nil, false
			}
			value = inner
			continue
		}
		elements, _ := value.([]any)
		if step.Index >= len(elements) {
			return nil, false
		}
		value = elements[step.Index]
	}
	return value, true
}

// differ says in a few words how the document got, found at the path at, differs
// from want; empty if it does not. Arrays must have the same length and match
// element by element. Numbers must have the same value, however they are written. If
// it is enough to contain want, objects may have additional fields.
func differ(want, got any, at string, contain bool) string {
	switch want := want.(type) {
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			inner, ok := fields[name]
			if !ok {
				return fmt.Sprintf("lacks %s: %s%s", snippet(name), snippet(want[name]), within(at))
			}
			if wrong := differ(want[name], inner, deeper(at, "."+name), contain); wrong != "" {
				return wrong
			}
		}
		if contain || len(fields) == len(want) {
			return ""
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if _, ok := want[name]; !ok {
				return fmt.Sprintf("also has %s%s", snippet(name), within(at))
			}
		}
	case []any:
		elements, ok := got.([]any)
		if !ok {
			break
		}
		if len(elements) != len(want) {
			return fmt.Sprintf("has %d elements, not %d%s", len(elements), len(want), within(at))
		}
		for i := range want {
			if wrong := differ(want[i], elements[i], deeper(at, "["+strconv.Itoa(i)+"]"), contain); wrong != "" {
				return wrong
			}
		}
		return ""
	case json.Number:
		if number, ok := got.(json.Number); ok && sameNumber(want, number) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	if at == "$" {
		return "is not " + snippet(want)
	}
	return fmt.Sprintf("has %s, not %s%s", snippet(got), snippet(want), within(at))
}

// deeper returns a path with one more step, cut where it gets too long to read.
func deeper(at, step string) string {
	if len(at) > 80 {
		return strings.TrimSuffix(at, "…") + "…"
	}
	return at + oneLine(step, 40)
}

// sameNumber reports whether two numbers have exactly the same value, as 1, 1.0 and
// 10e-1 have.
func sameNumber(a, b json.Number) bool {
	signA, digitsA, exponentA := decimal(a.String())
	signB, digitsB, exponentB := decimal(b.String())
	return digitsA == digitsB && (digitsA == "" || signA == signB && exponentA.Cmp(exponentB) == 0)
}

// decimal splits a JSON number into ±digits·10^exponent, where the digits
// neither begin nor end with a zero. 0 has none.
func decimal(text string) (negative bool, digits string, exponent *big.Int) {
	text, negative = strings.CutPrefix(text, "-")
	text, power, _ := strings.Cut(strings.ToLower(text), "e")
	exponent, ok := new(big.Int).SetString(strings.TrimPrefix(power, "+"), 10)
	if !ok {
		exponent = new(big.Int) // none is written
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits = whole + fraction
	exponent.Sub(exponent, big.NewInt(int64(len(fraction))))
	trimmed := strings.TrimRight(digits, "0")
	exponent.Add(exponent, big.NewInt(int64(len(digits)-len(trimmed))))
	return negative, strings.TrimLeft(trimmed, "0"), exponent
}
