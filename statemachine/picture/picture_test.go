package picture

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

var path = []string{"CalculateWeights", "Begin", "UpdateAlias", "Wait", "HealthCheck", "Decide", "Wait"}

func TestThePathIsFollowed(t *testing.T) {
	m, err := New(statemachine.Definition, path)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]int{}
	for _, s := range m.States {
		taken[s.Name] = s.Visits
		for _, next := range s.Next {
			taken[s.Name+" to "+next.To] = next.Taken
		}
	}
	for what, want := range map[string]int{"Wait": 2, "Decide to Wait": 1, "Decide to Rollback": 0, "Begin to UpdateAlias": 1, "Rollback": 0} {
		if got, ok := taken[what]; !ok || got != want {
			t.Errorf("%s: %d times, want %d", what, got, want)
		}
	}
	if m, err := New(statemachine.Definition, append(path, path[3:]...)); err != nil || strings.Count(string(m.Picture), ">×2<") != 3 {
		t.Errorf("transitions that were taken twice are not counted (%v): %s", err, m.Picture)
	}
	if m.States[0].Name != "CalculateWeights" || !strings.Contains(string(m.Picture), "Wait ×2") {
		t.Errorf("the first state is %s, and the picture %s", m.States[0].Name, m.Picture)
	}
	if _, err := New(statemachine.Definition, []string{"Elsewhere"}); err == nil {
		t.Error("a path through an unknown state passes")
	}
}

// TestALayoutIsDrawnAgain draws two paths into one layout.
func TestALayoutIsDrawnAgain(t *testing.T) {
	l, err := Lay(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	states := l.States()
	if err := Count(states, path); err != nil {
		t.Fatal(err)
	}
	picture := string(l.Draw(states, "Wait", "how far it is"))
	for want, times := range map[string]int{">▶ Wait ×2<": 1, ">Rollback<": 1, ">HealthCheck<": 1, `class="node taken`: 6, `class="node taken current"`: 1, `class="edge taken"`: 6, "how far it is": 1, "×": 1} {
		if n := strings.Count(picture, want); n != times {
			t.Errorf("%s is %d times in the picture, want %d", want, n, times)
		}
	}
	empty := string(l.Draw(l.States(), "", ""))
	if strings.Contains(empty, `"node taken`) || strings.Contains(empty, "×") {
		t.Error("an earlier path stays in the layout")
	}
	if again := string(l.Draw(states, "Wait", "how far it is")); again != picture {
		t.Error("the same path is drawn in another way")
	}
}

// box is where a state is drawn.
type box struct{ left, top, right, bottom float64 }

// boxOf returns the box around the points of a path.
func boxOf(points string) box {
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, point := range regexp.MustCompile(`(-?[\d.]+),(-?[\d.]+)`).FindAllStringSubmatch(points, -1) {
		x, _ := strconv.ParseFloat(point[1], 64)
		y, _ := strconv.ParseFloat(point[2], 64)
		b = box{min(b.left, x), min(b.top, y), max(b.right, x), max(b.bottom, y)}
	}
	return b
}

// touches reports whether boxes are not further apart than an arrow's tip is from what
// it points to.
func (b box) touches(other box) bool {
	const gap = 8
	return b.left-gap <= other.right && other.left-gap <= b.right && b.top-gap <= other.bottom && other.top-gap <= b.bottom
}

// TestTransitionsJoinTheirStates finds the ends of each transition at the states that
// have its names.
func TestTransitionsJoinTheirStates(t *testing.T) {
	l, err := Lay(statemachine.Definition)
	if err != nil {
		t.Fatal(err)
	}
	picture, states := string(l.Draw(l.States(), "", "")), l.States()
	boxes := map[string]box{}
	for _, node := range regexp.MustCompile(`(?s)class="node idle">\s*<path d="([^"]*)"/>\s*<text [^>]*>([^<]*)<`).FindAllStringSubmatch(picture, -1) {
		boxes[node[2]] = boxOf(node[1])
	}
	edges := regexp.MustCompile(`(?s)<g id="t(\d+)_(\d+)" [^>]*>\s*<path d="M([^C]*)[^>]*>\s*<polygon points="([^"]*)"`).FindAllStringSubmatch(picture, -1)
	if len(boxes) != len(states) || len(edges) < len(states) {
		t.Fatalf("the picture of %d states has %d states and %d transitions", len(states), len(boxes), len(edges))
	}
	for _, edge := range edges {
		i, _ := strconv.Atoi(edge[1])
		j, _ := strconv.Atoi(edge[2])
		from, to := states[i].Name, states[i].Next[j].To
		if !boxOf(edge[3]).touches(boxes[from]) || !boxOf(edge[4]).touches(boxes[to]) {
			t.Errorf("the transition from %s to %s is drawn between other states", from, to)
		}
	}
}

// TestNamesAreEscaped draws states whose names would be scripts, and entities of
// Graphviz.
func TestNamesAreEscaped(t *testing.T) {
	const definition = `{"StartAt": "<script>alert(1)</script>", "States": {
		"<script>alert(1)</script>": {"Type": "Pass", "Next": "\"];x[label=\"\\N &lt;"},
		"\"];x[label=\"\\N &lt;": {"Type": "Succeed", "Comment": "</svg><img src=x>"}}}`
	path := []string{"<script>alert(1)</script>", `"];x[label="\N &lt;`}
	read, err := Read(definition)
	if err != nil {
		t.Fatal(err)
	}
	file, err := layOut(graphvizTool(t), read)
	if err != nil {
		t.Fatal(err)
	}
	l := Layout{states: read, file: file}
	states := l.States()
	if err := Count(states, path); err != nil {
		t.Fatal(err)
	}
	for _, picture := range []string{string(l.Draw(states, "", "")), string(l.Draw(states, path[1], "<b>"))} {
		if strings.Contains(picture, "<script") || strings.Contains(picture, "<b>") || !strings.Contains(picture, "&lt;script&gt;") || strings.Count(picture, `class="node`) != 2 {
			t.Errorf("not escaped: %s", picture)
		}
		if !strings.Contains(picture, `];x[label=`) || !strings.Contains(picture, `\N &amp;lt;<`) {
			t.Errorf("a name is another one: %s", picture)
		}
	}
}

func TestUnknownNextIsRefused(t *testing.T) {
	if _, err := dot([]State{{Name: "A", Next: []Transition{{To: "B"}}}}); err == nil {
		t.Error("a transition to an unknown state passes")
	}
}

// TestAnotherWorkflowHasNoLayout, whether a state or only a transition differs.
func TestAnotherWorkflowHasNoLayout(t *testing.T) {
	for _, change := range [][2]string{{`"Decide"`, `"Choose"`}, {`"Next": "HealthCheck"`, `"Next": "Decide"`}} {
		other := strings.ReplaceAll(statemachine.Definition, change[0], change[1])
		if other == statemachine.Definition {
			t.Fatalf("the workflow has no %s", change[0])
		}
		if _, err := Lay(other); !errors.Is(err, ErrNoLayout) {
			t.Errorf("with %s: %v", change[1], err)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	l, err := Lay(statemachine.Definition)
	if err != nil {
		b.Fatal(err)
	}
	states := l.States()
	for b.Loop() {
		l.Draw(states, "Wait", "")
	}
}

// TestPicturesAreDrawnConcurrently, each as if it were alone.
func TestPicturesAreDrawnConcurrently(t *testing.T) {
	alone, err := New(statemachine.Definition, path)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			m, err := New(statemachine.Definition, path)
			if err != nil {
				t.Error(err)
			} else if m.Picture != alone.Picture {
				t.Error("it is another picture")
			}
		})
	}
	wait.Wait()
}
