package rollout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Probe invokes the new version by its number, not through the alias, and checks the
// answers. All of its invocations must pass.
type Probe struct {
	// Name is unique among the probes of the rollout.
	Name string `json:"name"`
	// Payload is the JSON that the version is invoked with.
	Payload json.RawMessage `json:"payload"`
	// Expect is JSON that the answer must contain: an object's fields, or any other
	// value as a whole. Empty accepts any answer.
	Expect json.RawMessage `json:"expect,omitempty"`
	// Equals has the values that the answer must have at these paths; see ParsePath.
	Equals map[string]json.RawMessage `json:"equals,omitempty"`
	// MaxDuration is the longest duration of an invocation that Lambda may report,
	// without a cold start, in milliseconds; 0 accepts any.
	MaxDuration int64 `json:"max-duration,omitempty"`
	// Count is the number of invocations, 1 to 20, and Concurrency the number at the
	// same time, 1 to 5.
	Count       int `json:"count"`
	Concurrency int `json:"concurrency"`
	// Timeout is how long all invocations together may take, in seconds, 1 to 30.
	Timeout int64 `json:"timeout"`
	// When is AtEachCheck, BeforeTraffic or AtBoth.
	When string `json:"when"`
	// Secret keeps the payload, the expectations and the answer out of all reasons and
	// logs. They remain readable in the execution's data.
	Secret bool `json:"secret,omitempty"`
	// MustHaveData rolls back instead of promoting if the gate never had a conclusive
	// reading.
	MustHaveData bool `json:"must-have-data,omitempty"`
}

// When a probe is made.
const (
	AtEachCheck   = "each-check"
	BeforeTraffic = "before-traffic" // once, before the first shift
	AtBoth        = "both"
)

// Limits of probes, and of what a request's checks and hooks are called with.
const (
	MaxProbes           = 10
	MaxProbeCount       = 20
	MaxProbeConcurrency = 5
	MaxProbeTimeout     = 30    // seconds
	DefaultProbeTimeout = 10    // seconds
	MaxPayload          = 16384 // bytes of compact JSON; also of expectations
	MaxEquals           = 20
	MaxPathLength       = 256 // bytes
)

var (
	probeNames    = []string{"name", "payload", "expect", "equals", "max-duration", "count", "concurrency", "timeout", "when", "secret", mustHaveData}
	gateNameForm  = lazyregexp.New(`^[A-Za-z0-9_-]{1,64}$`)
	pathStepForms = lazyregexp.New(`^(?:\.([\p{L}_][\p{L}\p{N}_-]*)|\['([^'\\\x00-\x1f\x7f]+)'\]|\[(0|[1-9][0-9]{0,5})\])`)
)

// probes reads a list of probes.
func (r *reader) probes(path string) []Probe {
	var probes []Probe
	names := map[string]bool{}
	for _, item := range r.elements(path, MaxProbes, "", wantProbe) {
		before := len(*r.problems)
		probe := item.probe()
		item.refuseTwin("name", probe.Name, names)
		item.refuseUnknown(probeNames)
		if probe.Secret || len(item.fields["secret"]) > 0 && string(item.fields["secret"]) != "false" {
			for i := range (*r.problems)[before:] {
				(*r.problems)[before+i].Given = ""
			}
		}
		probes = append(probes, probe)
	}
	return probes
}

// probe reads the probe whose fields the reader has.
func (r *reader) probe() Probe {
	p := Probe{
		Payload: r.value("payload", "{}"),
		Expect:  r.value("expect", ""),
		Equals:  r.equals("equals"),
		When:    r.enum("when", AtEachCheck, BeforeTraffic, AtBoth),
		Secret:  r.boolean("secret", false),

		MustHaveData: r.boolean(mustHaveData, false),
	}
	p.Name = r.form("name", gateNameForm, wantGateName)
	before := len(*r.problems)
	p.Timeout = r.integer("timeout", 1, MaxProbeTimeout, DefaultProbeTimeout)
	p.MaxDuration = r.integer("max-duration", 1, MaxProbeTimeout*1000, 0)
	if len(*r.problems) == before && p.MaxDuration > p.Timeout*1000 {
		r.refuse("max-duration", wantWithinTimeout(p.Timeout))
	}
	before = len(*r.problems)
	p.Count = int(r.integer("count", 1, MaxProbeCount, 1))
	p.Concurrency = int(r.integer("concurrency", 1, MaxProbeConcurrency, 1))
	if len(*r.problems) == before && p.Concurrency > p.Count {
		r.refuse("concurrency", wantUpToCount(p.Count))
	}
	return p
}

// elements reads a list of 1 to most objects, and returns a reader for the fields of
// each. If short is not empty, a string may stand for an object with that one field.
// The list is not quoted in a problem: it may be secret.
func (r *reader) elements(path string, most int, short, want string) []*reader {
	if !r.has(path) {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(r.fields[path], &items) != nil || len(items) == 0 || len(items) > most {
		r.add(Problem{Path: path, Want: wantList(most, want)})
		return nil
	}
	var readers []*reader
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		inner := &reader{prefix: r.prefix + at + ".", problems: r.problems}
		var text string
		switch {
		case short != "" && json.Unmarshal(item, &text) == nil && text != "":
			inner.fields = map[string]json.RawMessage{short: item}
		case json.Unmarshal(item, &inner.fields) != nil || inner.fields == nil:
			r.add(Problem{Path: at, Want: "must be " + want})
			continue
		}
		readers = append(readers, inner)
	}
	return readers
}

// refuseTwin adds a problem if an earlier element has the same name.
func (r *reader) refuseTwin(path, name string, names map[string]bool) {
	if name != "" && names[name] {
		r.refuse(path, wantUnique(name))
	}
	names[name] = true
}

// value reads any JSON, in the form in which a task's answer has it, so that what is
// read back from the execution's data is the same to the byte. So <, > and & are not
// escaped: aws-lambda-go does not either, and it would make them six times as long.
// The value is not quoted in a problem.
func (r *reader) value(path, absent string) json.RawMessage {
	if !r.has(path) {
		if absent == "" {
			return nil
		}
		return json.RawMessage(absent)
	}
	return r.compact(path, r.fields[path])
}

func (r *reader) compact(path string, given json.RawMessage) json.RawMessage {
	var value bytes.Buffer
	if err := json.Compact(&value, given); err != nil || value.Len() > MaxPayload {
		r.add(Problem{Path: path, Want: wantJSON(MaxPayload, value.Len())})
		return nil
	}
	return value.Bytes()
}

func (r *reader) equals(path string) map[string]json.RawMessage {
	if !r.has(path) {
		return nil
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(r.fields[path], &given) != nil || len(given) == 0 || len(given) > MaxEquals {
		r.add(Problem{Path: path, Want: wantEquals()})
		return nil
	}
	values := map[string]json.RawMessage{}
	for _, text := range slices.Sorted(maps.Keys(given)) {
		at := fmt.Sprintf("%s[%q]", path, Given([]byte(text)))
		if _, ok := ParsePath(text); !ok {
			r.add(Problem{Path: at, Want: wantProbePath})
		}
		values[text] = r.compact(at, given[text])
	}
	return values
}

// PathStep is a step into a JSON value: to the field Field of an object or, if Field
// is empty, to the element Index of an array, counting from 0.
type PathStep struct {
	Field string
	Index int
}

// ParsePath parses a path into a JSON value, in a small part of JSONPath: "$" is the
// value itself, ".name" and "['any name']" are fields, "[0]" is an element. It returns
// false for anything else.
func ParsePath(text string) ([]PathStep, bool) {
	if len(text) > MaxPathLength || len(text) == 0 || text[0] != '$' {
		return nil, false
	}
	steps := []PathStep{}
	for rest := text[1:]; rest != ""; {
		parts := pathStepForms.FindStringSubmatch(rest)
		if parts == nil {
			return nil, false
		}
		step := PathStep{Field: parts[1] + parts[2]}
		if parts[3] != "" {
			step.Index, _ = strconv.Atoi(parts[3]) // at most six digits
		}
		steps, rest = append(steps, step), rest[len(parts[0]):]
	}
	return steps, true
}
