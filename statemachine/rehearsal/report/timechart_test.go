package report

import (
	"strings"
	"testing"
	"time"
)

func TestTimeChartsAreDrawn(t *testing.T) {
	charts := []TimeChart{{
		Chart: Chart{ID: "live-errors", Title: "Error rate <b>", Says: `"said" <script>`}, Ticks: percent, Least: 0.01, Most: 1,
		Lines: []TimeLine{{Name: "version 1", Points: []TimePoint{{0, 60, 0}, {60, 120, 0.01}}}, {Name: "version 2", New: true, Points: []TimePoint{{60, 120, 0.9}}}},
	}, {Chart: Chart{ID: "empty", Title: "Nothing"}, Ticks: percent, Least: 1}}
	began := time.Now()
	drawn, err := DrawTimeCharts(charts, "time since the start", 180)
	if err != nil || len(drawn) != 2 {
		t.Fatal(len(drawn), err)
	}
	t.Log(time.Since(began))
	for _, picture := range []string{string(drawn[0].Wide), string(drawn[0].Narrow)} {
		if strings.Contains(picture, "<script") || strings.Contains(picture, "<b>") || strings.Contains(picture, ">-0") || !strings.Contains(picture, ">0%") || !strings.Contains(picture, `class="new"`) || !strings.Contains(picture, `class="dashed baseline"`) || !strings.Contains(picture, ">time since the start, hours:minutes") {
			t.Errorf("the chart is %s", picture)
		}
	}
	if len(drawn[0].Keys) != 2 || drawn[0].Keys[1] != (Key{Class: "line new", Text: "version 2"}) || drawn[1].Wide == "" {
		t.Errorf("the keys are %v", drawn[0].Keys)
	}
}
