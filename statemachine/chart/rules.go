package chart

import (
	"cmp"
	"math"
	"slices"
)

// ruleAt is a rule, where it is, and where its text is: in a row above the plot area,
// from 0 on, to the right of textAt or, if before, to the left of it.
type ruleAt struct {
	Rule
	x, textAt float64
	row       int
	before    bool
}

func (r ruleAt) anchor() string {
	if r.before {
		return "end"
	}
	return "start"
}

// box returns the left and the right end of the text.
func (r ruleAt) box() (from, to float64) {
	if r.before {
		return r.textAt - textWidth(r.Text), r.textAt
	}
	return r.textAt, r.textAt + textWidth(r.Text)
}

// mostTexts limits how many rules have a text. The others lose it.
const mostTexts = 5

// place returns where the rules are, from the left to the right, in a picture of that width. No
// text lies on another one. If it is possible, no rule crosses a text.
func place(rules []Rule, x scale, width float64) []ruleAt {
	var all []ruleAt
	texts := 0
	for _, r := range rules {
		if math.IsNaN(r.At) {
			continue
		}
		if texts++; r.Text == "" || texts > mostTexts {
			r.Text = ""
			texts--
		}
		r.Text = shorten(r.Text, width-x.from)
		all = append(all, ruleAt{Rule: r, x: x.at(r.At)})
	}
	slices.SortStableFunc(all, func(a, b ruleAt) int { return cmp.Compare(a.x, b.x) })
	s := search{left: x.from, width: width, rows: texts, least: math.Inf(1), trial: slices.Clone(all)}
	if s.next(0, 0); s.best != nil {
		return s.best
	}
	return all
}

// search tries the places of all texts, and keeps the cheapest.
type search struct {
	left, width float64
	rows        int
	trial, best []ruleAt
	least       float64
}

// next tries the places of the texts from the one of rule i on. What was tried has this cost.
func (s *search) next(i int, cost float64) {
	if cost >= s.least {
		return
	}
	if i == len(s.trial) {
		s.best, s.least = slices.Clone(s.trial), cost
		return
	}
	r := &s.trial[i]
	if r.Text == "" {
		s.next(i+1, cost)
		return
	}
	for r.row = 0; r.row < s.rows; r.row++ {
		for _, r.before = range []bool{false, true} {
			r.textAt = r.x
			if wide := textWidth(r.Text); r.before {
				r.textAt = max(r.textAt-gap, s.left+wide)
			} else {
				r.textAt = min(r.textAt+gap, s.width-wide)
			}
			if more, free := s.cost(i); free {
				s.next(i+1, cost+more)
			}
		}
	}
}

// cost returns the cost of the place of a text beside those before it, and whether that is free.
func (s *search) cost(i int) (cost float64, free bool) {
	r := s.trial[i]
	from, to := r.box()
	cost = 4 * float64(r.row)
	if r.before {
		cost++
	}
	cost += math.Abs(min(max(r.x, from), to)-r.x) / 10
	if from < r.x-1 && r.x+1 < to { // its own rule crosses it
		cost += 20
	}
	for _, other := range s.trial[:i] {
		if other.Text == "" {
			continue
		}
		begin, end := other.box()
		if other.row == r.row && from < end+2*gap && begin < to+2*gap {
			return 0, false
		}
		if r.row > other.row && begin-gap/2 < r.x && r.x < end || other.row > r.row && from-gap/2 < other.x && other.x < to {
			cost += 20
		}
	}
	return cost, true
}

// rows returns how many rows the texts take.
func rows(rules []ruleAt) int {
	most := 0
	for _, r := range rules {
		if r.Text != "" {
			most = max(most, r.row+1)
		}
	}
	return most
}
