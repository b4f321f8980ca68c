package sequential

import "slices"

// sums are the requests and errors of a history before each minute, and of all of it.
type sums []Count

func sumsOf(minutes []Count) sums {
	s := make(sums, len(minutes)+1)
	for i, m := range minutes {
		s[i+1] = Count{s[i].Requests + m.Requests, s[i].Errors + m.Errors}
	}
	return s
}

// between returns the count of the minutes from from to before to.
func (s sums) between(from, to int) (requests, errors float64) {
	first, last := &s[max(from, 0)], &s[min(to, len(s)-1)]
	return float64(last.Requests - first.Requests), float64(last.Errors - first.Errors)
}

// blockRates returns the rates of blocks; below 0 where one had no request.
func (s sums) blockRates(long int) []float64 {
	rates := make([]float64, 0, len(s)/long+1)
	for from := 0; from < len(s)-1; from += long {
		rate := -1.0
		if n, k := s.between(from, from+long); n > 0 {
			rate = k / n
		}
		rates = append(rates, rate)
	}
	return rates
}

// overallRate returns the history's rate, in which no hour counts for more than
// four times the median hour's and four errors.
func (s sums) overallRate() float64 {
	known := slices.DeleteFunc(s.blockRates(hourLong), func(rate float64) bool { return rate < 0 })
	slices.Sort(known)
	median := known[len(known)/2]
	requests, errors := 0.0, 1.0
	for from := 0; from < len(s)-1; from += hourLong {
		n, k := s.between(from, from+hourLong)
		requests, errors = requests+n, errors+min(k, 4*median*n+4)
	}
	return errors / requests
}

// localRate returns the rate that is expected of a minute, see LearnClusters. doubt is how many
// requests have two errors by the history.
func (s sums) localRate(at int, own Count, overall, doubt float64, blocks []float64) float64 {
	around, failed := s.between(at-localHalf, at+localHalf+1)
	around, failed = around-float64(own.Requests), failed-float64(own.Errors)
	if around == 0 {
		return overall
	}
	rate := (failed + 2) / (around + doubt)
	if rate <= 1.5*overall {
		return rate
	}
	var near [13]float64
	n := 0
	for _, block := range blocks[max(0, at/blockLong-6):min(len(blocks), at/blockLong+7)] {
		if block >= 0 {
			near[n] = block
			n++
		}
	}
	slices.Sort(near[:n])
	return min(rate, max(overall, near[n/2]))
}
