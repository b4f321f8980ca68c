package alias

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Marker names the rollout that owns an alias. It stands at the end of the
// alias's description, from the first shift until the rollout's end:
// "[rollout my-execution 7->8 30%]". It is ASCII, so that every terminal can
// print it.
type Marker struct {
	// Owner is the name of the rollout's execution, or a hash of it: see OwnedBy.
	Owner                string
	Baseline, NewVersion string
	// Weight is the new version's share of the traffic, in [0, 1].
	Weight float64
}

// String returns the marker as a description contains it.
func (m Marker) String() string {
	return fmt.Sprintf("[rollout %s %s->%s %s]", m.Owner, m.Baseline, m.NewVersion, strings.ReplaceAll(rollout.Weight(m.Weight), " ", ""))
}

// OwnedBy reports whether the marker belongs to the execution of that name.
func (m Marker) OwnedBy(execution string) bool {
	return m.Owner == ownerOf(execution) || m.Owner == execution
}

var plainOwner = lazyregexp.New(`^[!-Z\\^-~]{1,80}$`)

// ownerOf returns an execution's name as its marker contains it: a hash of a name
// that is not ASCII, as Step Functions allows. No name looks like a hash, as names
// have no colon.
func ownerOf(execution string) string {
	if plainOwner.MatchString(execution) {
		return execution
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(execution)))
}

// routing returns the split that the marker was written with. If the alias has
// another one, another user has changed it since.
func (m Marker) routing() Routing {
	if m.Weight == 0 { // claimed: see Claim
		return Routing{Version: m.Baseline}
	}
	return Routing{Version: m.Baseline, Weights: map[string]float64{m.NewVersion: m.Weight}}
}

// Splits reports whether an alias with the routing found is as the marker says.
func (m Marker) Splits(found Routing) bool {
	return found.equal(m.routing())
}

// maxDescription is the longest description that an alias can have, in UTF-16
// code units: Lambda counts characters, perhaps as Java does.
const maxDescription = 256

// cutShort separates a description that was cut short from its marker.
const cutShort = "..."

// mark appends a marker to a description, after a space if the description is not
// empty. A description that leaves too little room is cut short, with "..." in
// place of the space; then only the rollout's state has all of it.
func mark(description string, m Marker) string {
	marker := m.String()
	if description == "" {
		return marker
	}
	if all := description + " " + marker; length(all) <= maxDescription {
		return all
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

// markerForms are the marker's form and that of earlier releases, which was not
// ASCII: a rollout may be under way when a new release is deployed.
var markerForms = []struct {
	cut  string
	form *lazyregexp.Regexp
}{
	{cutShort, lazyregexp.New(`^\[rollout ([!-Z\\^-~]+) ([0-9]+)->([0-9]+) ([0-9.]+)%\]$`)},
	{"…", lazyregexp.New(`^\[rollout ([^\s\[\]]+) ([0-9]+)→([0-9]+) ([0-9.]+)%\]$`)},
}

// Description is an alias's description, separated from its marker.
type Description struct {
	// Text is the description without its marker.
	Text string
	// Cut means that Text is only the beginning of the original description.
	Cut bool
	// Marker is nil if the description has none.
	Marker *Marker
	// earlier means that the marker is in the form of earlier releases.
	earlier bool
}

// ParseDescription separates a description from its marker, exactly to the byte.
func ParseDescription(description string) Description {
	begin := strings.LastIndexByte(description, '[') // a marker has no other
	if begin < 0 {
		return Description{Text: description}
	}
	before := description[:begin]
	for i, f := range markerForms {
		parts := f.form.FindStringSubmatch(description[begin:])
		if parts == nil {
			continue
		}
		percent, err := strconv.ParseFloat(parts[4], 64)
		text, cut := strings.CutSuffix(before, f.cut)
		if !cut {
			text = strings.TrimSuffix(before, " ")
		}
		if err != nil || !cut && (text == before) != (text == "") {
			break
		}
		return Description{
			Text:   text,
			Cut:    cut,
			Marker: &Marker{Owner: parts[1], Baseline: parts[2], NewVersion: parts[3], Weight: rollout.Round(percent / 100)},

			earlier: i > 0,
		}
	}
	return Description{Text: description}
}

// sameDescription reports whether a description is the wanted one, or what an
// earlier release would have written. The two forms of the marker differ in
// length, so one may keep more than the other of a text that was cut short.
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
