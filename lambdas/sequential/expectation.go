package sequential

// Expectation is the rate of errors that is expected of a version's next minute,
// by its last ones: an older minute counts for a tenth less than the one after
// it. Its zero value knows nothing, and expects 0.1%.
type Expectation struct {
	Requests float64 `json:"requests"`
	Errors   float64 `json:"errors"`
}

// ExpectationOf returns that of a count without any order.
func ExpectationOf(c Count) Expectation {
	return Expectation{float64(c.Requests), float64(c.Errors)}
}

// After returns the expectation after one more minute. A minute without requests
// changes nothing.
func (x Expectation) After(c Count) Expectation {
	if c.Requests == 0 {
		return x
	}
	const kept = 0.9
	return Expectation{kept*x.Requests + float64(c.Requests), kept*x.Errors + float64(c.Errors)}
}

// Rate returns the expected rate, in (0, 1). What it begins with counts for five
// requests.
func (x Expectation) Rate() float64 {
	const requests, errors = 5, 0.005
	return (x.Errors + errors) / (x.Requests + requests)
}
