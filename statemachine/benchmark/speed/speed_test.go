package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
)

// TestBilledIn: of a call of GetMetricData, AWS bills a metric once for up to five statistics.
func TestBilledIn(t *testing.T) {
	query := func(name, dimension, stat string) cbor.Value {
		return cbor.Map{"Id": cbor.String(stat), "MetricStat": cbor.Map{"Stat": cbor.String(stat), "Metric": cbor.Map{
			"MetricName": cbor.String(name), "Dimensions": cbor.List{cbor.Map{"Name": cbor.String("n"), "Value": cbor.String(dimension)}},
		}}}
	}
	expression := cbor.Map{"Id": cbor.String("e"), "Expression": cbor.String("m1+m2")}
	var six cbor.List
	for _, stat := range strings.Split("Sum Minimum Maximum Average p50 p99", " ") {
		six = append(six, query("Duration", "a", stat))
	}
	for name, test := range map[string]struct {
		request cbor.Value
		want    int
	}{
		"five statistics of one metric": {cbor.Map{"MetricDataQueries": six[:5]}, 1},
		"six":                           {cbor.Map{"MetricDataQueries": six}, 2},
		"two metrics, and an expression": {cbor.Map{"MetricDataQueries": cbor.List{
			query("Errors", "a", "Sum"), query("Errors", "b", "Sum"), query("Errors", "a", "Average"), expression}}, 2},
		"another operation": {cbor.Map{"AlarmNames": cbor.List{cbor.String("a")}}, 0},
	} {
		if got, err := billedIn(cbor.Encode(test.request)); err != nil || got != test.want {
			t.Errorf("%s: %d, %v; want %d", name, got, err, test.want)
		}
	}
	if _, err := billedIn([]byte("Action=GetMetricData")); err == nil {
		t.Error("a call in another protocol is counted")
	}
}

// TestInTurns: each row has its best value, and what is derived from them is derived from the best ones.
func TestInTurns(t *testing.T) {
	turn := 0
	f := figure{
		rows: []row{{name: "time"}, {name: "rate", most: true}},
		of: func(t tree) ([]float64, error) {
			turn++
			return [][]float64{{4, 10, 2}, {40, 100, 5}, {5, 12, 1}, {30, 90, 7}}[turn-1], nil
		},
		finish: func(best []float64) []float64 { return []float64{best[0] / best[2], best[1]} },
	}
	best, err := f.inTurns([]tree{{}, {}}, 2)
	if want := [][]float64{{4, 12}, {6, 100}}; err != nil || best[0][0] != want[0][0] || best[0][1] != want[0][1] || best[1][0] != want[1][0] || best[1][1] != want[1][1] {
		t.Errorf("%v, %v; want %v", best, err, want)
	}
}

// TestTests: when a test fails, this tree has no figure. The other commit has one, as its other
// tests ran all the same, unless a test panicked: that ends the others.
func TestTests(t *testing.T) {
	for name, test := range map[string]struct {
		tree, body string
		want       bool
	}{
		"good":                     {"", "", true},
		"bad":                      {"", "t.Error()", false},
		"bad, in the other commit": {"old", "t.Error()", true},
		"a panic in it":            {"old", "panic(1)", false},
	} {
		root := t.TempDir()
		for file, text := range map[string]string{
			"go.mod":      "module example.com/m\n\ngo 1.26\n",
			"own_test.go": "package m\n\nimport \"testing\"\n\nfunc TestOwn(t *testing.T) { " + test.body + " }\n",
		} {
			if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if took, err := tests(tree{name: test.tree, root: root}); (err == nil) != test.want || took <= 0 {
			t.Errorf("%s: %v s, %v", name, took, err)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.94: "0.94", 8: "8", 9.876: "9.88", 27.36: "27.4", 483.2: "483", 13668453: "13668453", 0.0042: "0.00"} {
		if got := number(v); got != want {
			t.Errorf("%v is printed as %s, not %s", v, got, want)
		}
	}
}

// TestWriteTable replaces the one table of figures, and nothing else.
func TestWriteTable(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	const other = "\n| another | table |\n| --- | --- |\n| 1 | 2 |\n"
	if err := os.WriteFile(page, []byte("before\n\n| figure | x |\n| --- | ---: |\n| old | 1 |\n"+other), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeTable(page, "| figure | y |\n| --- | ---: |\n| $1 | 2 |\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if want := "before\n\n| figure | y |\n| --- | ---: |\n| $1 | 2 |\n" + other; err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if err := os.WriteFile(page, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if writeTable(page, "") == nil {
		t.Error("a page without a table is written")
	}
	shipped, err := os.ReadFile("../../../docs/performance.md")
	if err != nil || len(written.FindAllIndex(shipped, -1)) != 1 {
		t.Errorf("-write finds no table in docs/performance.md: %v", err)
	}
}
