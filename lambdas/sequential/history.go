package sequential

import "slices"

// past is an alias's minutes, one after the other.
type past []Count

// sum returns the count of all minutes.
func (p past) sum() (c Count) {
	for _, m := range p {
		c.add(m)
	}
	return c
}

func (c *Count) add(m Count) { c.Requests, c.Errors = c.Requests+m.Requests, c.Errors+m.Errors }

func (c *Count) subtract(m Count) { c.add(Count{-m.Requests, -m.Errors}) }

// blocks returns the counts of so many minutes each.
func (p past) blocks(long int) []Count {
	blocks := make([]Count, 0, len(p)/long+1)
	for minutes := range slices.Chunk(p, long) {
		blocks = append(blocks, minutes.sum())
	}
	return blocks
}

// rates returns the rates of blocks; below 0 where one had no request.
func rates(blocks []Count) []float64 {
	rates := make([]float64, len(blocks))
	for i, b := range blocks {
		if rates[i] = -1; b.Requests > 0 {
			rates[i] = float64(b.Errors) / float64(b.Requests)
		}
	}
	return rates
}

// overallRate returns the history's rate, in which no hour counts for more than
// four times the median hour's and four errors.
func (p past) overallRate() float64 {
	hours := p.blocks(hourLong)
	known := slices.DeleteFunc(rates(hours), func(rate float64) bool { return rate < 0 })
	slices.Sort(known)
	median := known[len(known)/2]
	requests, errors := 0.0, 1.0
	for _, hour := range hours {
		n, k := float64(hour.Requests), float64(hour.Errors)
		requests, errors = requests+n, errors+min(k, 4*median*n+4)
	}
	return errors / requests
}

// localRate returns the rate that is expected of a minute, of which the half hours around it are
// given, see LearnClusters. doubt is how many requests have two errors by the history.
func localRate(at int, around Count, overall, doubt float64, blocks []float64) float64 {
	if around.Requests == 0 {
		return overall
	}
	rate := (float64(around.Errors) + 2) / (float64(around.Requests) + doubt)
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
