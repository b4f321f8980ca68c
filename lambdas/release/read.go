package release

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// object is a JSON object whose values are not read yet.
type object = map[string]json.RawMessage

// merge returns an object over another one, by the rules of JSON Merge Patch (RFC 7396):
// objects are merged field by field, null removes a field, and other values replace.
func merge(under, over object) object {
	merged := object{}
	for name, value := range under {
		merged[name] = value
	}
	for name, value := range over {
		inner, ok := rollout.ReadObject(value)
		switch {
		case string(value) == "null":
			delete(merged, name)
		case ok:
			beneath, _ := rollout.ReadObject(merged[name])
			merged[name] = rollout.Encode(merge(beneath, inner))
		default:
			merged[name] = value
		}
	}
	return merged
}

// topField returns the first name of a problem's path.
func topField(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}

// reader reads fields one by one, and collects the problems with them. A field that is
// absent or wrong reads as its default.
type reader struct {
	fields   object
	prefix   string // of the fields' paths
	problems []rollout.Problem
}

func (rd *reader) has(path string) bool {
	_, ok := rd.fields[path]
	return ok
}

func (rd *reader) add(p rollout.Problem) {
	p.Path = rd.prefix + p.Path
	rd.problems = append(rd.problems, p)
}

// refuse adds a problem with a field, quoting what was given for it.
func (rd *reader) refuse(path, want string) {
	rd.add(rollout.Problem{Path: path, Given: rollout.Given(rd.fields[path]), Want: want})
}

// object0 returns an object among the fields; nil if there is none.
func (rd *reader) object0(path string) object {
	fields, _ := rollout.ReadObject(rd.fields[path])
	return fields
}

// object is object0 that refuses what is no object.
func (rd *reader) object(path string) object {
	fields, ok := rollout.ReadObject(rd.fields[path])
	if rd.has(path) && !ok {
		rd.refuse(path, wantObject)
	}
	return fields
}

func (rd *reader) refuseUnknown(path string, fields object, known []string) {
	var unknown []string
	for name := range fields {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		rd.add(rollout.Problem{Path: path + rollout.Given([]byte(name)), Given: rollout.Given(fields[name]), Want: "is not a field here" + rollout.DidYouMean(name, known)})
	}
}

func (rd *reader) name(path string) string {
	var name string
	switch err := json.Unmarshal(rd.fields[path], &name); {
	case !rd.has(path):
		rd.refuse(path, "is missing: the release's name, for people")
	case err != nil || strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > 80 || rollout.OneLine(name) != name || rollout.Plain(name) != name:
		rd.refuse(path, "must be a name of 1 to 80 printable characters on one line")
	}
	return name
}

func (rd *reader) boolean(path string, absent bool) bool {
	switch {
	case !rd.has(path):
		return absent
	case string(rd.fields[path]) == "true":
		return true
	case string(rd.fields[path]) == "false":
		return false
	}
	rd.refuse(path, "must be true or false, without quotes")
	return absent
}

func (rd *reader) integer(path string, low, high, absent int64) int64 {
	if !rd.has(path) {
		return absent
	}
	n, ok := rollout.AsNumber(rd.fields[path])
	if !ok || n != math.Trunc(n) || n < float64(low) || n > float64(high) {
		rd.refuse(path, fmt.Sprintf("must be a whole number from %d to %d", low, high))
		return absent
	}
	return int64(n)
}

func (rd *reader) share(path string) float64 {
	if !rd.has(path) {
		return 0
	}
	n, ok := rollout.AsNumber(rd.fields[path])
	if !ok || n < 0.0001 || n > 1 {
		rd.refuse(path, "must be a share of the traffic from 0.0001 to 1")
		return 0
	}
	return n
}

// lists reads a list of lists of names.
func (rd *reader) lists(path string) [][]string {
	var all [][]string
	if json.Unmarshal(rd.fields[path], &all) != nil || len(all) == 0 || slices.ContainsFunc(all, func(one []string) bool { return len(one) == 0 }) {
		rd.refuse(path, wantWaves)
		return nil
	}
	return all
}

// waveNumbers reads a list of the numbers of waves after the first.
func (rd *reader) waveNumbers(path string, waves int) []int {
	var all []int
	if json.Unmarshal(rd.fields[path], &all) != nil || len(all) == 0 {
		rd.refuse(path, wantWaveNumbers(waves))
		return nil
	}
	for i, n := range all {
		if n < 2 || n > waves || slices.Contains(all[:i], n) {
			rd.add(rollout.Problem{Path: fmt.Sprintf("%s[%d]", path, i), Given: fmt.Sprint(n), Want: wantWaveNumbers(waves)})
		}
	}
	return all
}
