package rehearsal

import "time"

// At has f called so long after the rehearsal's start.
func At(o *Options, after time.Duration, f func()) {
	before := o.adjust
	o.adjust = func(r *run) {
		if before != nil {
			before(r)
		}
		r.clock.Go(func() {
			r.clock.Sleep(after)
			f()
		})
	}
}
