package main

import (
	"math"
	"unicode/utf8"
)

type point struct{ x, y float64 }

// box is where a label lies: its upper left corner and its size.
type box struct{ x, y, w, h float64 }

func (b box) overlaps(other box) bool {
	return b.x < other.x+other.w && other.x < b.x+b.w && b.y < other.y+other.h && other.y < b.y+b.h
}

// nearest returns the box's point that is nearest to p.
func (b box) nearest(p point) (x, y float64) {
	return min(max(p.x, b.x), b.x+b.w), min(max(p.y, b.y), b.y+b.h)
}

// placeLabels puts each rule's name as near to its point as it gets without
// lying on another name or on any point, and within the plot. Beside the point
// is better than above or below it, and the limit is better left readable.
func placeLabels(summaries []summary, points []point) []box {
	var placed []box
	for i, s := range summaries {
		w := perRune * float64(utf8.RuneCountInString(s.name))
		best, least := box{points[i].x, points[i].y, w, lineHigh}, math.Inf(1)
		limit := alarmsAt(alpha)
		for dy := -160.0; dy <= 160; dy += 4 {
			for dx := -w - 60; dx <= 60; dx += 5 {
				b := box{points[i].x + dx, points[i].y + dy, w, lineHigh}
				x, y := b.nearest(points[i])
				cost := math.Hypot(x-points[i].x, y-points[i].y) + 0.2*math.Abs(dy+lineHigh/2)
				if b.x < limit && limit < b.x+b.w {
					cost += 20
				}
				if cost < least && free(b, placed, points) {
					best, least = b, cost
				}
			}
		}
		placed = append(placed, best)
	}
	return placed
}

// free reports whether a label may lie there.
func free(b box, placed []box, points []point) bool {
	if b.x < left || b.x+b.w > right || b.y < top || b.y+b.h > bottom {
		return false
	}
	for _, p := range points {
		if b.overlaps(box{p.x - radius - 5, p.y - radius - 3, 2*radius + 10, 2*radius + 6}) {
			return false
		}
	}
	for _, other := range placed {
		if b.overlaps(other) {
			return false
		}
	}
	return true
}
