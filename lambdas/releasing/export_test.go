package releasing

import "time"

var (
	Each       = Pace.each
	EachBeside = Pace.eachBeside
)

// NewRow returns a row of calls.
func NewRow(n, free int, pause time.Duration, do func(i int) error) row {
	return row{n, free, pause, do}
}
