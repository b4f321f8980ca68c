// Command benchmark compares rules that judge a new version while its traffic
// grows: how often they roll back a harmless one, how often they find a harmful
// one, and how many requests fail until they do. It simulates rollouts minute
// by minute and prints four Markdown tables: one row per rule, over all cells of a
// grid; one row per way in which errors come together, over its cells with a worse version;
// one row per world that is unlike them, such as sparse traffic; and one row per world of
// durations, without errors.
//
//	go run ./statemachine/benchmark [-grid NAME] [-quick] [-cells] [-svg FILE] [-seed N] [-runs-same N] [-runs-stress N] [-runs-worse N]
//
// The published grid's cells are traffic {1, 10, 100}/s × the baseline's error rate {0.01,
// 0.1, 1}% × new version {same, 2×, 5×, +1 point, +5 points, 50%, 100%} ×
// schedules {10–90% by 10, 2 minutes each; 10% for 5 minutes; 1, 2, 4 … 64%,
// 2 minutes each}, and with equal rates every stress (see the stresses). The second
// grid's are {3, 30, 300}/s × {0.03, 0.3, 3}% × {same, 3×, 8×, +0.5 points, +3 points, 25%,
// 100%} × {5, 25, 50%, 3 minutes each; 20% for 10 minutes; 2, 6, 18, 54%, 4 minutes
// each}: nothing was tuned on it.
//
// Each rollout has a history: 72 hours of the alias's minutes, drawn under the cell's
// stress, a new one for every 20 runs. All
// rules meet the same requests for as long as they shift alike. The figures are
// the same for the same seed, on any number of cores.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/term"
)

func main() {
	// Next to nothing stays in memory: by default, garbage would be collected all the
	// time.
	debug.SetGCPercent(1000)
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	switch err := benchmark(os.Args[1:], os.Stdout, os.Stderr, terminal); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	plan  plan
	cells bool
	svg   string // file name, or none
}

func parse(args []string, stderr io.Writer) (options, error) {
	flags := flag.NewFlagSet("benchmark", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints errors
	small := flags.Bool("quick", false, "a part of the grid, and few runs: for a first look")
	var p plan
	flags.IntVar(&p.runsSame, "runs-same", 500, "runs of each cell in which the new version is no worse; 200 with -quick")
	flags.IntVar(&p.runsStress, "runs-stress", 500, "runs of each such cell under stress, and of each world with an equal version; 60 with -quick")
	flags.IntVar(&p.runsWorse, "runs-worse", 100, "runs of each cell and world in which it is worse; 40 with -quick")
	name := flags.String("grid", "published", "the cells of the first table: published, or second, on which nothing was tuned")
	flags.Uint64Var(&p.seed, "seed", 1, "seed of all randomness")
	cells := flags.Bool("cells", false, "print every cell too")
	svg := flags.String("svg", "", "write the picture into this `file`")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(stderr)
			flags.Usage()
		}
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q: there are only flags", flags.Arg(0))
	}
	var known bool
	if p.grid, known = grids()[*name]; !known {
		return options{}, fmt.Errorf("-grid %s: must be published or second", *name)
	}
	p.scenes = scenes()
	if *small {
		p.grid = p.grid.part()
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, runs := range map[string]struct {
			of  *int
			few int
		}{"runs-same": {&p.runsSame, 200}, "runs-stress": {&p.runsStress, 60}, "runs-worse": {&p.runsWorse, 40}} {
			if !given[name] {
				*runs.of = runs.few
			}
		}
	}
	p.clustered = p.grid.clustered()
	if min(p.runsSame, p.runsStress, p.runsWorse) < 1 {
		return options{}, errors.New("-runs-same, -runs-stress and -runs-worse: must be at least 1")
	}
	return options{plan: p, cells: *cells, svg: *svg}, nil
}

func benchmark(args []string, stdout, stderr io.Writer, terminal bool) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	progress := newProgress(stderr, "errors", terminal, time.Now)
	results := o.plan.run(progress.show)
	progress.end()
	progress = newProgress(stderr, "latency", terminal, time.Now)
	worlds := latencyWorlds()
	latency := o.plan.runLatency(worlds, progress.show)
	progress.end()

	names := ruleNames()
	ofGrid, others := results[:len(results)-len(o.plan.clustered)-len(o.plan.scenes)], results[len(results)-len(o.plan.clustered)-len(o.plan.scenes):]
	ofClustered, ofScenes := others[:len(o.plan.clustered)], others[len(o.plan.clustered):]
	summaries := summarize(names, ofGrid)
	out := bufio.NewWriter(stdout)
	writeTable(out, summaries)
	fmt.Fprintf(out, "\n%s", legend(o.plan, ofGrid))
	writeClustered(out, summaries, ofGrid, ofClustered)
	fmt.Fprintf(out, "\n%s", legendOfScenes(o.plan))
	writeScenes(out, names, o.plan.scenes, ofScenes)
	fmt.Fprintf(out, "\n%s", legendOfLatency(o.plan))
	writeLatency(out, worlds, latency)
	if o.cells {
		fmt.Fprintln(out)
		writeCells(out, names, ofGrid)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, []byte(picture(summaries)), 0o644); err != nil {
			return fmt.Errorf("writing the picture: %w", err)
		}
	}
	return nil
}

func ruleNames() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name())
	}
	return names
}
