package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Properties are the resource's properties: those of an execution's input, and a few of
// its own.
type Properties struct {
	Request rollout.Request
	// Input is the execution's input.
	Input json.RawMessage
	// Wait is whether the stack's update waits for the rollout's end.
	Wait bool
	// WaitHandle is the pre-signed URL of a wait condition's handle, which is signalled at
	// the rollout's end; then the resource itself does not wait. It is a secret.
	WaitHandle string
	// DeleteAlias is whether deleting the resource deletes the alias, if the
	// resource has made it.
	DeleteAlias bool
}

// The properties that are not of an execution's input.
var ownNames = []string{"ServiceToken", "ServiceTimeout", "Wait", "WaitHandle", "DeleteAlias"}

// Longest is how long a plan may take, in seconds, for the stack's update to wait for its
// end: CloudFormation waits for an hour, and the rest is for the way back.
const Longest = 50 * 60

// LongestSignalled is Longest for a wait condition, which waits for 12 hours.
const LongestSignalled = (11*60 + 30) * 60

// ReadProperties reads a resource's properties. Names are those of an execution's
// input, written as CloudFormation writes names ("FunctionName") or as they are
// ("function-name"); below the first level, as they are. Numbers and booleans may be
// texts, as CloudFormation makes them, and objects and lists may be JSON in a text.
// NewVersion may be the ARN of a version. The error lists all problems.
func ReadProperties(raw json.RawMessage) (Properties, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return Properties{}, fmt.Errorf("the resource's properties are no object: %.80s", raw)
	}
	fields, p, problems := map[string]json.RawMessage{}, Properties{Wait: true}, []rollout.Problem(nil)
	for name, value := range given {
		switch own := property(name); {
		case own == "ServiceToken" || own == "ServiceTimeout": // CloudFormation's own
		case own == "Wait":
			problems = flag(problems, own, value, &p.Wait)
		case own == "DeleteAlias":
			problems = flag(problems, own, value, &p.DeleteAlias)
		case own == "WaitHandle":
			if json.Unmarshal(value, &p.WaitHandle) != nil || p.WaitHandle == "" { // not quoted: it may be a secret
				problems = append(problems, rollout.Problem{Path: own, Want: "must be a reference to an AWS::CloudFormation::WaitConditionHandle"})
			}
		default:
			fields[kebab(name)] = value
		}
	}
	if p.WaitHandle != "" {
		if _, set := given["Wait"]; set && p.Wait {
			problems = append(problems, rollout.Problem{Path: "Wait", Given: "true", Want: "can't be combined with WaitHandle, which waits in its place"})
		}
		p.Wait = false
	}
	fields["new-version"] = numbered(fields["new-version"], fields["function-name"])
	var refused []rollout.Problem
	p.Request, p.Input, refused = decode(fields)
	problems = append(problems, refused...)
	if len(problems) == 0 {
		if steps, err := p.Request.Schedule(); err == nil { // Decode has checked it
			problems = p.tooLong(rollout.Total(steps))
		}
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b rollout.Problem) int { return strings.Compare(a.Path, b.Path) })
		return p, &rollout.RequestError{Problems: problems}
	}
	return p, nil
}

// property returns the name as this package writes it, if it is one of ownNames.
func property(name string) string {
	for _, own := range ownNames {
		if kebab(own) == kebab(name) {
			return own
		}
	}
	return name
}

// kebab returns a name as an execution's input has it: FunctionName is function-name. A
// name without capitals stays as it is.
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 && !strings.HasSuffix(b.String(), "-") {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// flag reads a boolean that may be a text.
func flag(problems []rollout.Problem, name string, value json.RawMessage, to *bool) []rollout.Problem {
	switch strings.ToLower(strings.Trim(string(value), `" `)) {
	case "true":
		*to = true
	case "false":
		*to = false
	default:
		return append(problems, rollout.Problem{Path: name, Given: rollout.Shorten(string(value), 80), Want: "must be true or false"})
	}
	return problems
}

// numbered returns the number of a version that is given by its ARN. One of another
// function is left as it is, to be refused.
func numbered(version, function json.RawMessage) json.RawMessage {
	var text, of string
	if json.Unmarshal(version, &text) != nil || json.Unmarshal(function, &of) != nil {
		return version
	}
	id, ok := arn.Parse(text)
	parts := strings.Split(id.Resource, ":")
	if !ok || id.Service != "lambda" || len(parts) != 3 || parts[1] != arn.Name(of) {
		return version
	}
	number, _ := json.Marshal(parts[2])
	return number
}

// mostRounds is how often a request is read again with one kind of text changed; each
// time some of its texts are read as what was wanted.
const mostRounds = 8

// decode reads the execution's input. Wherever the request wants something else than
// a text and the text can be read as that, it is.
func decode(fields map[string]json.RawMessage) (rollout.Request, json.RawMessage, []rollout.Problem) {
	for name, value := range fields {
		if value == nil {
			delete(fields, name)
		}
	}
	document, err := json.Marshal(fields)
	if err != nil {
		return rollout.Request{}, nil, []rollout.Problem{{Path: "$", Want: "must be JSON"}}
	}
	for range mostRounds {
		request, err := rollout.Decode(document)
		if err == nil {
			return request, document, nil
		}
		problems := err.(*rollout.RequestError).Problems
		next := document
		for _, problem := range problems {
			next = retyped(next, problem.Path)
		}
		if bytes.Equal(next, document) {
			return rollout.Request{}, nil, problems
		}
		document = next
	}
	_, err = rollout.Decode(document)
	return rollout.Request{}, nil, err.(*rollout.RequestError).Problems
}

// retyped returns a document in which the text at the path is the JSON that it
// contains; the same document if there is no such text.
func retyped(document []byte, path string) []byte {
	root, err := parse(document)
	if err != nil {
		return document
	}
	if !retype(&root, path) {
		return document
	}
	changed, err := json.Marshal(root)
	if err != nil {
		return document
	}
	return changed
}

func parse(document []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// retype changes the text at the path below value, and reports whether it did. A name
// may contain dots.
func retype(value *any, path string) bool {
	if path == "" {
		text, ok := (*value).(string)
		if !ok {
			return false
		}
		inner, err := parse([]byte(strings.TrimSpace(text)))
		if _, same := inner.(string); err != nil || same || inner == nil {
			return false
		}
		*value = inner
		return true
	}
	switch in := (*value).(type) {
	case map[string]any:
		for name, member := range in {
			rest, found := strings.CutPrefix(path, name)
			if !found || rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			if retype(&member, strings.TrimPrefix(rest, ".")) {
				in[name] = member
				return true
			}
		}
	case []any:
		index, rest, found := strings.Cut(strings.TrimPrefix(path, "["), "]")
		if i, err := strconv.Atoi(index); found && err == nil && i >= 0 && i < len(in) {
			return retype(&in[i], strings.TrimPrefix(rest, "."))
		}
	}
	return false
}

// WaitsTooLong returns an error for a plan that is too long because it waits for windows and
// the ends of freezes, if it starts at a time: ReadProperties does not know that.
func (p Properties) WaitsTooLong(start time.Time) error {
	steps, err := p.Request.Schedule()
	if err != nil {
		return err
	}
	timing, err := p.Request.Timing(steps, start)
	if err != nil || timing.End().IsZero() {
		return err
	}
	if problems := p.tooLong(int64(timing.Ends.Sub(start) / time.Second)); len(problems) > 0 {
		return &rollout.RequestError{Problems: problems}
	}
	return nil
}

// tooLong returns the problems of a plan of total seconds if the stack's update can't wait for
// its end.
func (p Properties) tooLong(total int64) []rollout.Problem {
	problem := func(text string, values ...any) []rollout.Problem {
		return []rollout.Problem{{Path: "Wait", Given: "true", Want: fmt.Sprintf(text, values...)}}
	}
	const instead = "Choose a shorter plan; or set Wait to false, so that the update ends when the rollout has begun; or wait up to 12 hours with WaitHandle"
	a := p.Request.Approval
	switch {
	case p.WaitHandle != "" && total > LongestSignalled:
		return []rollout.Problem{{Path: "WaitHandle", Want: fmt.Sprintf("needs a plan of at most %d minutes, as CloudFormation waits for 12 hours; this one takes %d", LongestSignalled/60, (total+59)/60)}}
	case p.Wait && total > Longest:
		return problem("needs a plan of at most %d minutes, as CloudFormation waits for an hour; this one takes %d. %s", Longest/60, (total+59)/60, instead)
	case p.Wait && a != nil && total+a.Timeout*int64(len(a.BeforeWeights)) > Longest:
		return problem("needs approvals within %d minutes, those of the plan included, as CloudFormation waits for an hour; set approval.timeout. %s", Longest/60, instead)
	}
	return nil
}
