package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// figure is one measurement, which gives the values of one or more rows.
type figure struct {
	rows  []row
	turns int // how often it is measured; 0 as often as the command line says
	of    func(tree) ([]float64, error)
	// finish, if not nil, turns the best values of a tree into those of the rows. of may return more than those: the
	// smallest of each is the best.
	finish func(best []float64) []float64
}

// row is a row of the table.
type row struct {
	name, unit string
	most       bool // the more the better
}

// one returns a figure of one row, which is the better the smaller it is.
func one(name, unit string, turns int, of func(tree) (float64, error)) figure {
	return figure{rows: []row{{name: name, unit: unit}}, turns: turns, of: func(t tree) ([]float64, error) {
		value, err := of(t)
		return []float64{value}, err
	}}
}

func (f figure) matches(wanted *regexp.Regexp) bool {
	return slices.ContainsFunc(f.rows, func(r row) bool { return wanted.MatchString(r.name) })
}

// compare measures the figures, prints the table row by row, and returns it. The error
// names the figures that could not be measured.
func compare(o options, before, now tree, all []figure) (string, error) {
	var table strings.Builder
	show := func(line string) {
		fmt.Println(line)
		table.WriteString(line + "\n")
	}
	show(fmt.Sprintf("| figure | %s | now | ratio |", o.commit))
	show("| --- | ---: | ---: | ---: |")
	var failures []error
	for _, f := range all {
		turns := o.turns
		if f.turns > 0 {
			turns = min(f.turns, turns)
		}
		best, err := f.inTurns([]tree{before, now}, turns)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", f.rows[0].name, err))
		}
		for i, r := range f.rows {
			if err != nil {
				show(fmt.Sprintf("| %s, %s | not measured | not measured | |", r.name, r.unit))
				continue
			}
			show(fmt.Sprintf("| %s, %s | %s | %s | %.2f |", r.name, r.unit, number(best[0][i]), number(best[1][i]), best[1][i]/best[0][i]))
		}
	}
	return table.String(), errors.Join(failures...)
}

// inTurns measures the trees in turns. It returns the best value of each row for each of them.
func (f figure) inTurns(trees []tree, turns int) ([][]float64, error) {
	best := make([][]float64, len(trees))
	for range turns {
		for i, t := range trees {
			values, err := f.of(t)
			if err != nil {
				return nil, err
			}
			if best[i] == nil {
				best[i] = values
				continue
			}
			for j, v := range values {
				if j < len(f.rows) && f.rows[j].most {
					best[i][j] = max(best[i][j], v)
				} else {
					best[i][j] = min(best[i][j], v)
				}
			}
		}
	}
	if f.finish != nil {
		for i := range best {
			best[i] = f.finish(best[i])
		}
	}
	return best, nil
}

// number formats a value with at least three digits.
func number(v float64) string {
	decimals := 0
	if v != math.Trunc(v) && math.Abs(v) < 100 {
		decimals = 2 - int(math.Floor(math.Log10(max(math.Abs(v), 1))))
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

var written = regexp.MustCompile(`(?m)^\| figure \|.*\n(\|.*\n)+`)

// writeTable replaces the table in a page.
func writeTable(page, table string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if len(written.FindAllIndex(text, -1)) != 1 {
		return fmt.Errorf("%s has not exactly one table whose first column is figure", page)
	}
	return os.WriteFile(page, written.ReplaceAllLiteral(text, []byte(table)), 0o644)
}
