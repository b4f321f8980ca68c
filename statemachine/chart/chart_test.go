package chart

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// odd are values that data should not have.
var odd = []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1, -1, 1e15}

func anyValue() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.SampledFrom(odd), rapid.Float64(), rapid.Float64Range(-10, 100))
}

func anyMark(t *rapid.T) Mark {
	m := Mark{Shape: Shape(rapid.IntRange(0, int(Level)).Draw(t, "shape"))}
	equal := rapid.Bool().Draw(t, "equal")
	value := func(name string) float64 {
		if equal {
			return 7
		}
		return anyValue().Draw(t, name)
	}
	for range rapid.IntRange(0, 5).Draw(t, "how many") {
		m.Spans = append(m.Spans, Span{value("from"), value("to"), value("value"), value("low"), value("high")})
		m.Points = append(m.Points, Point{value("x"), value("y")})
	}
	return m
}

func anyChart(t *rapid.T) Chart {
	say := func(v float64) string { return fmt.Sprint(v) }
	across := rapid.SampledFrom([]func(float64, float64, int) ([]Tick, string){nil, Times, Numbers(0, say), Numbers(1, say)})
	axis := func() Axis {
		return Axis{Min: anyValue().Draw(t, "min"), Max: anyValue().Draw(t, "max"), Ticks: across.Draw(t, "ticks"), Name: "name"}
	}
	c := Chart{ID: "a", X: axis(), Y: axis()}
	for range rapid.IntRange(0, 3).Draw(t, "marks") {
		c.Marks = append(c.Marks, anyMark(t))
	}
	for range rapid.IntRange(0, 7).Draw(t, "rules") {
		c.Rules = append(c.Rules, Rule{At: anyValue().Draw(t, "at"), Text: rapid.StringMatching(`[a-zä日 0-9:]{0,40}`).Draw(t, "text")})
	}
	return c
}

// frames are a wide and a narrow one.
var frames = []Frame{{"wide", 960, 150}, {"narrow", 360, 150}}

// TestEverythingIsWithinThePlotArea draws any data over any axes.
func TestEverythingIsWithinThePlotArea(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, f := anyChart(t), rapid.SampledFrom(frames).Draw(t, "frame")
		p := c.lay(f, max(leastLeft, c.roomForTicks(f)))
		for _, s := range p.Shapes {
			if strings.HasPrefix(s.Class, "rule") {
				continue
			}
			for _, wrong := range outside(s.Path, p.area) {
				t.Errorf("%s %s: %s", s.Class, s.Path, wrong)
			}
		}
		for _, text := range p.Texts {
			for _, wrong := range cut(text, p) {
				t.Errorf("%q %s", text.Text, wrong)
			}
		}
		for i, text := range p.Texts {
			for _, other := range p.Texts[:i] {
				if collide(text, other) {
					t.Errorf("%+v collides with %+v", text, other)
				}
			}
		}
	})
}

var commands = regexp.MustCompile(`([A-Za-z])([^A-Za-z]*)`)

// outside interprets path data, and returns what lies outside of an area.
func outside(path string, a area) (wrong []string) {
	x, y := 0.0, 0.0
	drawn := ""
	for _, command := range commands.FindAllStringSubmatch(path, -1) {
		drawn += command[0]
		var to []float64
		for _, field := range strings.Fields(command[2]) {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				return append(wrong, err.Error())
			}
			to = append(to, v)
		}
		switch command[1] {
		case "M", "L":
			x, y = to[0], to[1]
		case "l":
			x, y = x+to[0], y+to[1]
		case "H":
			x = to[0]
		case "h":
			x += to[0]
		case "V":
			y = to[0]
		case "Z", "z":
		default:
			wrong = append(wrong, "an unknown command "+command[1])
		}
		const slack = 0.11 // of rounding
		if !(x >= a.x.from-slack && x <= a.x.to+slack && y >= a.y.to-slack && y <= a.y.from+slack) {
			wrong = append(wrong, fmt.Sprintf("%g %g is outside of %+v", x, y, a))
		}
	}
	if drawn != path {
		wrong = append(wrong, "it is no path")
	}
	return wrong
}

// box returns where a text is.
func (t textAt) box() (left, top, right, bottom float64) {
	x, _ := strconv.ParseFloat(t.X, 64)
	y, _ := strconv.ParseFloat(t.Y, 64)
	wide := textWidth(t.Text)
	left = x - map[string]float64{"start": 0, "middle": wide / 2, "end": wide}[t.Anchor]
	return left, y - textSize + 2, left + wide, y + 2
}

func cut(t textAt, p picture) (wrong []string) {
	left, top, right, bottom := t.box()
	if t.Class != "" && (left < -0.1 || right > p.Width+0.1) || top < 0 || bottom > p.Height {
		wrong = append(wrong, fmt.Sprintf("is cut off: %g %g %g %g of %g %g", left, top, right, bottom, p.Width, p.Height))
	}
	return wrong
}

// collide reports whether texts lie on each other.
func collide(a, b textAt) bool {
	left, top, right, bottom := a.box()
	l, t, r, bot := b.box()
	return a.Text != "" && b.Text != "" && left < r-0.2 && l < right-0.2 && top < bot-0.2 && t < bottom-0.2
}

func TestDraw(t *testing.T) {
	say := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	y := Axis{Min: 0, Max: 10, Ticks: Numbers(0, say)}
	first := Chart{
		ID: "first", Title: "Title <b>", Description: `"said" <script>`, X: Axis{Max: 600, Ticks: Times, Name: "time since the start"}, Y: y,
		Marks: []Mark{
			{Shape: Steps, Class: "new", Spans: []Span{{From: 0, To: 60, Value: 1}, {From: 60, To: 120, Value: 10}, {From: 180, To: 240, Value: 5}}},
			{Shape: Band, Class: "new", Spans: []Span{{From: 0, To: 60, Low: 1, High: 2}, {From: 60, To: 120, Value: 1, Low: math.NaN(), High: 2}, {From: 120, To: 180, Low: 2, High: 3}, {From: 180, To: 240, Low: 1, High: 3}}},
			{Shape: Dots, Class: "ink", Points: []Point{{600, 0}}},
			{Shape: Level, Class: "limit", Points: []Point{{0, 5}}},
			{Shape: Line, Points: []Point{{0, 0}, {300, math.NaN()}, {600, 10}}},
			{Shape: Bars},
		},
		Rules: []Rule{{Text: "ended", At: 300}},
	}
	second := Chart{ID: "second", X: first.X, Y: Axis{Min: 0, Max: 1e6, Ticks: Numbers(0, say)}}
	drawn, err := Draw(frames[0], first, second)
	if err != nil || len(drawn) != 2 {
		t.Fatal(len(drawn), err)
	}
	left := textWidth("1000000") + 3*gap
	at := func(x float64) string { return round(math.Ceil(left) + x*(960-right-math.Ceil(left))) }
	picture := string(drawn[0])
	for _, want := range []string{
		`<title id="first-wide-t">Title &lt;b&gt;</title><desc id="first-wide-d">&#34;said&#34; &lt;script&gt;</desc>`, `role="img" aria-labelledby="first-wide-t first-wide-d"`,
		`<path class="new" d="M` + at(0) + " 160H" + at(0.1) + "V25H" + at(0.2) + "M" + at(0.3) + " 100H" + at(0.4) + `"/>`,
		`<path class="band new" d="M` + at(0) + " 145H" + at(0.1) + "V160H" + at(0) + "ZM" + at(0.2) + " 130H" + at(0.4) + "V160H" + at(0.3) + "V145H" + at(0.2) + `Z"/>`,
		`<path class="dots ink" d="M` + at(1) + ` 175h0"/>`, `<path class="level limit" d="M` + at(0) + " 100H" + at(1) + `"/>`,
		`<path d="M` + at(0) + " 175M" + at(1) + ` 25"/>`, `class="rule-text" x="` + round(math.Ceil(left)+0.5*(960-right-math.Ceil(left))+gap) + `" y="21">ended</text>`,
		">0:05</text>", ">time since the start, hours:minutes</text>",
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("%s is not in\n%s", want, picture)
		}
	}
	if strings.Contains(picture, "<script") || strings.Contains(picture, "bars") {
		t.Error("something is not escaped, or empty")
	}
}

func TestTicks(t *testing.T) {
	say := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, test := range []struct {
		ticks     func(float64, float64, int) ([]Tick, string)
		low, high float64
		most      int
		want      string
	}{
		{Numbers(0, say), 0, 1, 4, "0 0.5 1"},
		{Numbers(0, say), 0, 0.013, 4, "0 0.005 0.01"},
		{Numbers(0, say), -1, 4.6, 4, "0 2 4"},
		{Numbers(1, say), 0, 1.4, 5, "0 1"},
		{Numbers(0, say), 5, 5.00001, 4, "5 5 5.00001"},
		{Times, 0, 24, 12, "0:00:00 0:00:02 0:00:04 0:00:06 0:00:08 0:00:10 0:00:12 0:00:14 0:00:16 0:00:18 0:00:20 0:00:22 0:00:24 hours:minutes:seconds"},
		{Times, 0, 840, 12, "0:00 0:02 0:04 0:06 0:08 0:10 0:12 0:14 hours:minutes"},
		{Times, 3000, 9000, 4, "1:00 1:30 2:00 2:30 hours:minutes"},
		{Times, 20 * hour, 36 * hour, 5, "1d 0:00 1d 6:00 1d 12:00 days and hours:minutes"},
		{Times, 0, 8 * day, 5, "0 2 4 6 8 days"},
		{Times, 0, 1e12, 5, "0 11574074 days"},
	} {
		ticks, unit := test.ticks(test.low, test.high, test.most)
		texts := ""
		for _, tick := range ticks {
			texts += tick.Text + " "
		}
		if got := strings.TrimSpace(texts + unit); got != test.want {
			t.Errorf("%g to %g, %d at most: %s, want %s", test.low, test.high, test.most, got, test.want)
		}
	}
}

// TestRules places the texts of rules that are near each other, or at an end.
func TestRules(t *testing.T) {
	for _, test := range []struct {
		at   []float64
		want string
	}{
		{[]float64{10}, "0"}, {[]float64{10, 90}, "0 0b"}, {[]float64{50, 51}, "0b 0"}, {[]float64{1, 2, 3}, "2 1 0"}, {[]float64{99}, "0b"}, {[]float64{97, 98, 99}, "0b 1b 2b"}, {[]float64{50, 50, 50}, "0 0b 1"},
	} {
		var rules []Rule
		for _, at := range test.at {
			rules = append(rules, Rule{At: at, Text: "the text of a rule"})
		}
		got := ""
		for _, r := range place(rules, scale{0, 100, 0, 360}, 360) {
			got += " " + strconv.Itoa(r.row) + map[bool]string{true: "b"}[r.before]
		}
		if got = strings.TrimSpace(got); got != test.want {
			t.Errorf("rules at %v are at %s, want %s", test.at, got, test.want)
		}
	}
}
