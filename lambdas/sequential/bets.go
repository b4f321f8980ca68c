package sequential

import "math"

// bets returns the shares λ of its capital that P bets on each minute, see [Robust].
func bets() [alternatives]float64 {
	return [...]float64{0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95}
}

// bet returns the state of P after a minute in which the new version served so much, and a
// share q in (0, 1] of its requests was expected to fail, at most. A minute in which it
// had no request changes nothing.
func bet(s State, served Count, q, eta float64) State {
	if served.Requests == 0 {
		return s
	}
	times := float64(served.Errors) / float64(served.Requests) / q
	var logs [alternatives]float64
	for j, part := range bets() {
		logs[j] = eta * math.Log1p(part*(times-1))
	}
	return s.multiply(&logs)
}
