package rollouts

import "time"

// Fit limits the rollouts that Text shows, so that the page has at most rows lines at a width;
// at least three are shown. 0 shows all.
func (r *Release) Fit(width, rows int, now time.Time) {
	r.fit(rows, func() int { return len(r.Text(now).Lines(width, false)) })
}

// FitLive is Fit for Live, as it is shown on a terminal.
func (r *Release) FitLive(width, rows int, now time.Time) {
	r.fit(rows, func() int { return len(r.Live(now).Rows(width, false)) })
}

func (r *Release) fit(rows int, count func() int) {
	const least = 3
	r.most = 0
	if rows <= 0 || count() <= rows {
		return
	}
	low, high := least, max(least, len(r.Rollouts)-1)
	for low < high { // the most that fit
		r.most = (low + high + 1) / 2
		if count() <= rows {
			low = r.most
		} else {
			high = r.most - 1
		}
	}
	r.most = low
}
