package localaws

import (
	"fmt"
	"slices"
)

// overList evaluates AVG, MAX, MIN or SUM of a list of time series. The result has a datapoint wherever one of them has:
// without the others, which + would not ignore.
func (e *expression) overList() (quantity, error) {
	name := e.next()
	e.take(name)
	bad := fmt.Errorf("%s takes a list of time series in the local AWS, as in %s([a, b])", name, name)
	if !e.take("(") || !e.take("[") {
		return quantity{}, bad
	}
	values := map[int64][]float64{}
	out := quantity{}
	for {
		item, err := e.sum()
		if err != nil {
			return quantity{}, err
		}
		if item.scalar {
			return quantity{}, bad
		}
		out.period = max(out.period, item.period)
		for _, p := range item.points {
			values[p.at] = append(values[p.at], p.value)
		}
		if !e.take(",") {
			break
		}
	}
	if !e.take("]") || !e.take(")") {
		return quantity{}, bad
	}
	for at, all := range values {
		out.points = append(out.points, figure{at, summarize(name, all)})
	}
	slices.SortFunc(out.points, func(a, b figure) int { return int(a.at - b.at) })
	return combine("*", quantity{scalar: true, number: 1}, out), nil // omits what is not finite
}

// summarize returns the average, largest, smallest or sum of at least one value.
func summarize(name string, all []float64) float64 {
	switch name {
	case "MAX":
		return slices.Max(all)
	case "MIN":
		return slices.Min(all)
	}
	total := 0.0
	for _, value := range all {
		total += value
	}
	if name == "AVG" {
		return total / float64(len(all))
	}
	return total
}
