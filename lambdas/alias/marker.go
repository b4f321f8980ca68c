package alias

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Marker says whose an alias's traffic split is. It stands where people look,
// at the end of the alias's description, from the first shift until the
// rollout's end: "[rollout <execution> 7→8 30%]".
type Marker struct {
	// Owner is the name of the execution that the alias belongs to.
	Owner                string
	Baseline, NewVersion string
	Weight               float64
}

func (m Marker) String() string {
	return fmt.Sprintf("[rollout %s %s→%s %s]", m.Owner, m.Baseline, m.NewVersion, strings.ReplaceAll(rollout.Weight(m.Weight), " ", ""))
}

// routing is the split that the marker was written with. If the alias has
// another one, somebody else has changed it since.
func (m Marker) routing() Routing {
	return Routing{Version: m.Baseline, Weights: map[string]float64{m.NewVersion: m.Weight}}
}

// Splits tells whether an alias with that routing is as the marker says.
func (m Marker) Splits(found Routing) bool {
	return found.equal(m.routing())
}

// maxDescription is the longest description that an alias can have. Lambda
// counts characters; in case those are UTF-16's, as in Java, so does this.
const maxDescription = 256

// mark puts a marker behind a description: after a space, if there is anything
// to separate it from. A description that leaves too little room is cut short,
// and "…" stands in place of the space: then it takes the rollout's state to
// put the description back.
func mark(description string, m Marker) string {
	marker := m.String()
	if description == "" {
		return marker
	}
	if whole := description + " " + marker; length(whole) <= maxDescription {
		return whole
	}
	room := maxDescription - length("…"+marker)
	for i, r := range description {
		if room -= utf16.RuneLen(r); room < 0 {
			description = description[:i]
			break
		}
	}
	return description + "…" + marker
}

func length(text string) int {
	return len(utf16.Encode([]rune(text)))
}

var markerForm = regexp.MustCompile(`(?s)^(.*?)( |…|)\[rollout ([^\s\[\]]+) ([0-9]+)→([0-9]+) ([0-9.]+)%\]$`)

// Marked takes a description apart.
type Marked struct {
	// Text is the description without its marker. It is all of it unless Cut.
	Text string
	Cut  bool
	// Marker is nil if there is none.
	Marker *Marker
}

// ReadMarker takes the marker off a description, to the byte.
func ReadMarker(description string) Marked {
	parts := markerForm.FindStringSubmatch(description)
	if parts == nil {
		return Marked{Text: description}
	}
	percent, err := strconv.ParseFloat(parts[6], 64)
	if err != nil || (parts[2] == "") != (parts[1] == "") && parts[2] != "…" {
		return Marked{Text: description}
	}
	return Marked{
		Text:   parts[1],
		Cut:    parts[2] == "…",
		Marker: &Marker{Owner: parts[3], Baseline: parts[4], NewVersion: parts[5], Weight: rollout.Round(percent / 100)},
	}
}
