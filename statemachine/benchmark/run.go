package main

import (
	"runtime"
	"sync"
)

// plan says what is simulated.
type plan struct {
	grid      grid
	clustered []cell // see grid.clustered
	scenes    []scene
	// Runs of each cell with equal rates, of one that is under a stress besides,
	// and of one with a worse version.
	runsSame, runsStress, runsWorse int
	seed                            uint64
}

// block is the number of runs of a cell in one job.
const block = 100

// job is a block of a cell's runs.
type job struct {
	cell, first, runs int
}

// jobsOf returns all blocks of the cells' runs, in the cells' order.
func jobsOf(runs []int) []job {
	var jobs []job
	for i, runs := range runs {
		for first := 0; first < runs; first += block {
			jobs = append(jobs, job{i, first, min(block, runs-first)})
		}
	}
	return jobs
}

// onAllCores carries out the jobs, each once. Each core takes them by a function of its
// own, which worker returns.
func onAllCores(jobs []job, worker func() func(job)) {
	waiting := make(chan job)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			take := worker()
			for j := range waiting {
				take(j)
			}
		})
	}
	for _, j := range jobs {
		waiting <- j
	}
	close(waiting)
	workers.Wait()
}

// cells returns the cells of the grid, the clustered ones and those of the scenes, in
// this order.
func (p plan) cells() []cell {
	cells := append(p.grid.cells(), p.clustered...)
	for _, s := range p.scenes {
		cells = append(cells, s.cell)
	}
	return cells
}

// runs returns how often each cell is drawn. Scenes count as under stress.
func (p plan) runs(cells []cell) []int {
	runs := make([]int, len(cells))
	for i, c := range cells {
		switch scene := i >= len(cells)-len(p.scenes); {
		case !c.harmless():
			runs[i] = p.runsWorse
		case c.stress != calm || scene:
			runs[i] = p.runsStress
		default:
			runs[i] = p.runsSame
		}
	}
	return runs
}

// run simulates all cells, those of the scenes last, on all cores, and calls progress after each
// block. Its results are the same whatever the number of cores: each run's
// minutes come from a stream of their own.
func (p plan) run(progress func(done, of int)) []result {
	cells := p.cells()
	runs := p.runs(cells)
	jobs := jobsOf(runs)
	var lock sync.Mutex
	endings := make([][][]ending, len(cells)) // by cell, rule and run; nil before its first block and after its last
	missing := make([]int, len(cells))        // runs
	results := make([]result, len(cells))
	done := 0
	take := func(j job, ended [][]ending) {
		lock.Lock()
		defer lock.Unlock()
		c := cells[j.cell]
		if endings[j.cell] == nil {
			missing[j.cell] = runs[j.cell]
			endings[j.cell] = make([][]ending, len(ended))
			for i := range ended {
				endings[j.cell][i] = make([]ending, runs[j.cell])
			}
		}
		for i, of := range ended {
			copy(endings[j.cell][i][j.first:], of)
		}
		if missing[j.cell] -= j.runs; missing[j.cell] == 0 {
			results[j.cell] = resultOf(c, endings[j.cell])
			endings[j.cell] = nil
		}
		done++
		progress(done, len(jobs))
	}
	onAllCores(jobs, func() func(job) {
		rules := rules()
		return func(j job) { take(j, simulate(cells[j.cell], p.seed, rules, j)) }
	})
	return results
}

// simulate takes every rule through each of the block's runs.
func simulate(c cell, seed uint64, rules []rule, j job) [][]ending {
	ended := make([][]ending, len(rules))
	s := newSimulation(c, seed)
	for run := j.first; run < j.first+j.runs; run++ {
		for i, r := range rules {
			ended[i] = append(ended[i], s.follow(r, run))
		}
	}
	return ended
}

func resultOf(c cell, endings [][]ending) result {
	r := result{cell: c, bound: boundOf(c)}
	for _, of := range endings {
		r.rules = append(r.rules, figuresOf(of))
	}
	return r
}
