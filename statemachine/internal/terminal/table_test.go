package terminal

import (
	"strings"
	"testing"
)

// drawn is a table with long and short texts, with what can't be broken, and with nothing.
var drawn = Table{
	Columns: []Column{{Head: "plan"}, {Head: "price each"}, {Head: "in a month without any", Right: true}},
	Rows: []Row{
		{Cells: []string{"CodeDeploy: Linear10PercentEvery1Minute", "$0.05 for 10,000", "12: <\u00a0$0.0001"}},
		{Cells: []string{"日本 a|b", "", None}},
		{Cells: []string{"total", "", "$1"}, Strong: true},
	},
}

// TestTableAtEachWidth has columns side by side, the first one above, and all below each
// other.
func TestTableAtEachWidth(t *testing.T) {
	for width, want := range map[int]string{
		0: `
                                                              in a month
plan                                     price each          without any
CodeDeploy: Linear10PercentEvery1Minute  $0.05 for 10,000  12: < $0.0001
日本 a|b                                                               –
total                                                                 $1
`,
		55: `
                                             in a month
plan                           price each   without any
CodeDeploy:                    $0.05 for            12:
  Linear10PercentEvery1Minute    10,000       < $0.0001
日本 a|b                                              –
total                                                $1
`,
		30: `
                    in a month
  price each       without any
CodeDeploy:
  Linear10PercentEvery1Minute
  $0.05 for      12: < $0.0001
    10,000
日本 a|b
                             –
total
                            $1
`,
		20: `
CodeDeploy:
  Linear10PercentEve
  ry1Minute
  price     $0.05
    each      for
              10,000
  in a      12:
    month     < $0.0
    withou    001
    t any
日本 a|b
total
  in a      $1
    month
    withou
    t any
`,
	} {
		if got := "\n" + strings.Join(drawn.Lines(width, false), "\n") + "\n"; got != want {
			t.Errorf("at %d: %s", width, got)
		}
	}
}

func TestTablesFitAndKeepEveryWord(t *testing.T) {
	words := func(text string) string {
		return strings.NewReplacer(" ", "", "\n", "", "\u00a0", "", None, "").Replace(text)
	}
	for width := 12; width < 120; width++ {
		lines := drawn.Lines(width, false)
		for _, line := range lines {
			if Cells(line) > width {
				t.Errorf("at %d: the line %q", width, line)
			}
		}
		text := words(strings.Join(lines, ""))
		for _, row := range drawn.Rows {
			for _, cell := range row.Cells {
				for word := range strings.FieldsSeq(cell) {
					if Cells(word) < width/4 && !strings.Contains(text, words(word)) {
						t.Errorf("at %d: %q is not in %s", width, word, text)
					}
				}
			}
		}
	}
}

func TestTableInMarkdown(t *testing.T) {
	const want = `| plan | price each | in a month without any |
| --- | --- | ---: |
| CodeDeploy: Linear10PercentEvery1Minute | $0.05 for 10,000 | 12: < $0.0001 |
| 日本 a\|b | | – |
| **total** | | **$1** |`
	if got := strings.Join(drawn.Markdown(), "\n"); got != want {
		t.Errorf("it is\n%s", got)
	}
}

// TestTablesColours are those of heads and of rows that stand out, and change no text.
func TestTablesColours(t *testing.T) {
	for _, width := range []int{0, 55, 30, 20} {
		plain, coloured := drawn.Lines(width, false), drawn.Lines(width, true)
		for i, line := range coloured {
			for _, code := range []string{Quiet, Bold} {
				line = strings.TrimPrefix(line, "\x1b["+code+"m")
			}
			if line = strings.TrimSuffix(line, "\x1b[0m"); line != plain[i] {
				t.Errorf("at %d: %q, want %q", width, line, plain[i])
			}
		}
		if last := coloured[len(coloured)-1]; !strings.HasPrefix(last, "\x1b[1m") {
			t.Errorf("at %d, the total does not stand out: %q", width, last)
		}
	}
}
