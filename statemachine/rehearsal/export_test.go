package rehearsal

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// OnAllCores calls do for each number below n, on all cores.
func OnAllCores(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

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
