package alias

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Marker says whose an alias's traffic split is. It stands where people look,
// at the end of the alias's description, from the first shift until the
// rollout's end: "[rollout <execution> 7->8 30%]". It is ASCII, so that every
// terminal and code page can write what "aws lambda list-aliases" prints.
type Marker struct {
	// Owner is the name of the execution that the alias belongs to, as the marker
	// has it: see OwnedBy.
	Owner                string
	Baseline, NewVersion string
	Weight               float64
}

func (m Marker) String() string {
	return fmt.Sprintf("[rollout %s %s->%s %s]", m.Owner, m.Baseline, m.NewVersion, strings.ReplaceAll(rollout.Weight(m.Weight), " ", ""))
}

// OwnedBy reports whether the alias belongs to the execution of that name.
func (m Marker) OwnedBy(execution string) bool {
	return m.Owner == ownerOf(execution) || m.Owner == execution
}

var plainOwner = regexp.MustCompile(`^[!-Z\\^-~]{1,80}$`)

// ownerOf is an execution's name as its marker has it. Step Functions allows
// names that are not ASCII, and of them the marker has a hash. No name is taken
// for one: names have no colon.
func ownerOf(execution string) string {
	if plainOwner.MatchString(execution) {
		return execution
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(execution)))
}

// routing is the split that the marker was written with. If the alias has
// another one, somebody else has changed it since.
func (m Marker) routing() Routing {
	if m.Weight == 0 { // claimed: see Claim
		return Routing{Version: m.Baseline}
	}
	return Routing{Version: m.Baseline, Weights: map[string]float64{m.NewVersion: m.Weight}}
}

// Splits tells whether an alias with that routing is as the marker says.
func (m Marker) Splits(found Routing) bool {
	return found.equal(m.routing())
}

// maxDescription is the longest description that an alias can have. Lambda
// counts characters; in case those are UTF-16's, as in Java, so does this.
const maxDescription = 256

// cutShort stands between a description that was cut short and its marker.
const cutShort = "..."

// mark puts a marker behind a description: after a space, if there is anything
// to separate it from. A description that leaves too little room is cut short,
// and "..." stands in place of the space: then it takes the rollout's state to
// put the description back.
func mark(description string, m Marker) string {
	marker := m.String()
	if description == "" {
		return marker
	}
	if whole := description + " " + marker; length(whole) <= maxDescription {
		return whole
	}
	room := maxDescription - length(cutShort+marker)
	for i, r := range description {
		if room -= utf16.RuneLen(r); room < 0 {
			description = description[:i]
			break
		}
	}
	return description + cutShort + marker
}

func length(text string) int {
	return len(utf16.Encode([]rune(text)))
}

// markerForms are the marker's, and the one of earlier releases, which was not
// ASCII: a rollout may be under way when its stack is deployed.
var markerForms = []struct {
	cut  string
	form *regexp.Regexp
}{
	{cutShort, regexp.MustCompile(`(?s)^(.*?)( |\.\.\.|)\[rollout ([!-Z\\^-~]+) ([0-9]+)->([0-9]+) ([0-9.]+)%\]$`)},
	{"…", regexp.MustCompile(`(?s)^(.*?)( |…|)\[rollout ([^\s\[\]]+) ([0-9]+)→([0-9]+) ([0-9.]+)%\]$`)},
}

// Description takes a description apart.
type Description struct {
	// Text is the description without its marker. It is all of it unless Cut.
	Text string
	Cut  bool
	// Marker is nil if there is none.
	Marker *Marker
	// earlier means that the marker has the form of earlier releases.
	earlier bool
}

// ParseDescription takes the marker off a description, to the byte.
func ParseDescription(description string) Description {
	for i, f := range markerForms {
		parts := f.form.FindStringSubmatch(description)
		if parts == nil {
			continue
		}
		percent, err := strconv.ParseFloat(parts[6], 64)
		if err != nil || (parts[2] == "") != (parts[1] == "") && parts[2] != f.cut {
			break
		}
		return Description{
			Text:   parts[1],
			Cut:    parts[2] == f.cut,
			Marker: &Marker{Owner: parts[3], Baseline: parts[4], NewVersion: parts[5], Weight: rollout.Round(percent / 100)},

			earlier: i > 0,
		}
	}
	return Description{Text: description}
}

// sameDescription reports whether a description is the wanted one, or what an
// earlier release wrote in its place. Its marker left other room: of a text
// that was cut short, one may have more than the other.
func sameDescription(found, wanted string) bool {
	if found == wanted {
		return true
	}
	was, now := ParseDescription(found), ParseDescription(wanted)
	if !was.earlier || now.Marker == nil || now.earlier {
		return false
	}
	m := *was.Marker
	m.Owner = ownerOf(m.Owner)
	switch {
	case m != *now.Marker:
		return false
	case was.Cut && strings.HasPrefix(now.Text, was.Text):
		return true
	case now.Cut:
		return strings.HasPrefix(was.Text, now.Text)
	}
	return was.Text == now.Text && !was.Cut
}
