package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheCommand runs it as a person does.
func TestTheCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "benchmark.svg")
	var stdout, stderr bytes.Buffer
	err := benchmark([]string{"-quick", "-runs-same", "10", "-runs-stress", "4", "-runs-worse", "3", "-cells", "-svg", file}, &stdout, &stderr, false)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(stdout.String(), "\n")
	columns := strings.Count(lines[0], "|")
	for i := range 2 + len(rules()) {
		if got := strings.Count(lines[i], "|"); got != columns {
			t.Errorf("line %d has %d columns, want %d: %s", i+1, got, columns, lines[i])
		}
	}
	for _, want := range []string{
		"over 10 runs a cell (under\nstress: 4)", "3 runs a cell", "Seed 1.",
		"| alarm: 1 error in a minute | **100%** |",
		"| 100/s, 1%, +5 points, 10–90% | 827 | 36 | 100%, ",
		"| 1/s, 0.1%, same, 1, 2, 4 … 64%, late minutes |  |  | ",
		"| independent | 1.000, (",
		"| repeats on a version | ",
		"| world | new version | any error in a step's last minute | ",
		"| outage yesterday, 10/s, 1% | equal | **100%** | ",
		"| nine of ten fail, 10/s | 100% | 100%, ",
		"Latency: worlds in which no request fails, each with an equal version (over 4 runs)",
		"| world | new version | alarm: p99 over 2×, 3 of 3 minutes | ",
		"| 3× as slow at first, normal after 3 min | equal | 0%, 20 min | 75%, 3 min | **100%**, 2 min | 0%, 24 min |",
		"| steady | 50% slower | 0%, 20 min | 100%, 7 min | 100%, 3 min | 100%, 4 min |",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	for _, want := range []string{"simulating errors: 360 of 360 blocks", "simulating latency: 20 of 20 blocks"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("progress: %q, without %q", stderr.String(), want)
		}
	}
	picture, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(picture, []byte("<svg ")) {
		t.Errorf("the picture: %v, %.80s", err, picture)
	}
}

func TestTheCommandLine(t *testing.T) {
	for _, test := range []struct {
		args              string
		same, worse, seed int
		cells             int
	}{
		{"", 500, 100, 1, 27 * (7 + 15)},
		{"-quick", 200, 40, 1, 8 * (4 + 15)},
		{"-grid second", 500, 100, 1, 27 * (7 + 15)},
		{"-quick -runs-worse=7 -seed 4", 200, 7, 4, 8 * (4 + 15)},
	} {
		o, err := parse(strings.Fields(test.args), io.Discard)
		if err != nil || o.plan.runsSame != test.same || o.plan.runsWorse != test.worse || o.plan.seed != uint64(test.seed) || len(o.plan.grid.cells()) != test.cells {
			t.Errorf("%q: %+v, %v", test.args, o.plan, err)
		}
	}
	for args, want := range map[string]string{
		"-runs-same 0": "must be at least 1",
		"quick":        `unexpected argument "quick"`,
		"-grid third":  "must be published or second",
		"-fast":        "not defined",
	} {
		if _, err := parse(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
	var usage bytes.Buffer
	if _, err := parse([]string{"-h"}, &usage); !errors.Is(err, flag.ErrHelp) || !strings.Contains(usage.String(), "-runs-stress int") {
		t.Errorf("-h: %v, %s", err, usage.String())
	}
}

func TestShortPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0%", 0.00123: "0.12%", 0.0579: "5.8%", 0.583: "58.3%", 0.99996: "99.99%", 1: "100%"} {
		if got := shortPercent(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestProgress(t *testing.T) {
	for terminal, want := range map[bool]string{
		false: "simulating errors: 2 of 4 blocks, 40s, about 40s to go\nsimulating errors: 4 of 4 blocks, 50s, about 0s to go\n",
		true: "\rsimulating errors: 1 of 4 blocks, 10s, about 30s to go\x1b[K\rsimulating errors: 2 of 4 blocks, 40s, about 40s to go\x1b[K" +
			"\rsimulating errors: 3 of 4 blocks, 45s, about 15s to go\x1b[K\rsimulating errors: 4 of 4 blocks, 50s, about 0s to go\x1b[K\n",
	} {
		var b bytes.Buffer
		start := time.Unix(0, 0)
		now := start
		p := newProgress(&b, "errors", terminal, func() time.Time { return now })
		for i, second := range []int{10, 40, 45, 50} {
			now = start.Add(time.Duration(second) * time.Second)
			p.show(i+1, 4)
		}
		p.end()
		if b.String() != want {
			t.Errorf("terminal %v: %q, want %q", terminal, b.String(), want)
		}
	}
}

// crowd are as many rules as there are, some at the same place.
func crowd() []summary {
	var summaries []summary
	for i, name := range ruleNames() {
		s := summary{name: name + " & <more>", ratio: []float64{0.8, 1.1, 1.1, 7}[i%4]}
		s.same.figures = figures{runs: 100, rolledBack: 100 * (i % 3) / 2}
		summaries = append(summaries, s)
	}
	return summaries
}

func TestThePicture(t *testing.T) {
	svg := picture(crowd())
	if len(svg) > 20000 {
		t.Errorf("%d bytes", len(svg))
	}
	elements := map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			elements[e.Name.Local]++
			for _, a := range e.Attr {
				if a.Name.Local == "href" || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("%s has %s %q", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
	if elements["title"] != 1 || elements["desc"] != 1 || elements["circle"] != len(crowd()) {
		t.Errorf("elements: %v", elements)
	}
	for _, want := range []string{"prefers-color-scheme: dark", "this project &amp; &lt;more&gt;: 50%, 7.00 times.", `class="rule broken"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
}

func TestLabelsDontOverlap(t *testing.T) {
	summaries, y := crowd(), ratioAxis(crowd())
	points := make([]point, len(summaries))
	for i, s := range summaries {
		points[i] = point{alarmsAt(s.falseAlarms()), y.at(s.ratio)}
	}
	labels := placeLabels(summaries, points)
	for i, a := range labels {
		if !free(a, labels[:i], points) {
			t.Errorf("the label of %q at %+v overlaps something", summaries[i].name, a)
		}
		if x, y := a.nearest(points[i]); math.Hypot(x-points[i].x, y-points[i].y) > 150 {
			t.Errorf("the label of %q is far from its point", summaries[i].name)
		}
	}
	if free(labels[0], labels, points) {
		t.Error("a label on another counts as free")
	}
}
