package rollout_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// archive returns the texts of a file in testdata.
func archive(f *testing.F, name string) [][]byte {
	f.Helper()
	all, err := txtar.ParseFile("testdata/" + name)
	if err != nil {
		f.Fatal(err)
	}
	var texts [][]byte
	for _, file := range all.Files {
		texts = append(texts, file.Data)
	}
	return texts
}

// FuzzDecode: an input is refused with problems that each have a path, or gives
// a request that has a schedule and does not depend on how its JSON is written.
// Other readers of the input agree with it.
func FuzzDecode(f *testing.F) {
	for _, text := range slices.Concat(archive(f, "refused.txtar"), archive(f, "metrics.txtar")) {
		f.Add(text)
	}
	for _, text := range []string{
		blogInput, `null`, `{}`, `{"continue": null}`, `{"continue": {}}`, `{"continue": {"plan": {"owner": "x"}}}`, `{} {}`,
		`{"function-name": "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f", "alias-name": "live", "new-version": 2, "type": "Canary10Percent5Minutes",
			"approval": {}, "hooks": {"pre-traffic": ["g"], "post-traffic": [{"function": "h", "timeout": 600, "payload": {"a": [1.50]}}]},
			"notify": {"topics": ["arn:aws:sns:eu-central-1:123456789012:t"], "shifted": true, "chat": true}}`,
		`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "custom", "weights": [1e-4, 0.5, 1], "interval": 6e1, "check-interval": 10, "bake": 31000000,
			"health": {"alarms": ["a"], "probes": [{"payload": {}}], "endpoints": ["https://example.com/"], "checks": ["c"]}}`,
		`{"function-name": "f", "alias-name": "live", "new-version": "2", "type": "geometric", "first-weight": 0.01, "steps": 1000, "interval": 31536, "advance": "evidence"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		request, err := rollout.Decode(input)
		if again, againErr := rollout.Decode(input); !cmp.Equal(request, again) || (err == nil) != (againErr == nil) || err != nil && err.Error() != againErr.Error() {
			t.Errorf("decoded again it is another: %v, %v", err, againErr)
		}
		if err != nil {
			var invalid *rollout.RequestError
			if !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
				t.Fatalf("refused without a problem: %v", err)
			}
			for _, p := range invalid.Problems {
				if p.Path == "" || p.Want == "" {
					t.Errorf("a problem without a path, or without what is wanted: %+v", p)
				}
			}
			return
		}
		steps, err := request.Schedule()
		if err != nil || len(steps) == 0 || steps[len(steps)-1].Weight != 1 {
			t.Errorf("no schedule, or one that does not end at full weight: %v, %v", steps, err)
		}
		if _, ok, _ := rollout.ReadResume(input); ok {
			t.Error("it is a rollout of its own and goes on with another one")
		}
		addressee := rollout.ReadAddressee(input)
		if want := (rollout.Addressee{Function: request.Function(), FunctionName: request.FunctionName, Alias: request.AliasName, NewVersion: request.NewVersion, Notify: request.Notify}); !cmp.Equal(want, addressee) {
			t.Errorf("those to notify: %s", cmp.Diff(want, addressee))
		}
		var fields any
		decoder := json.NewDecoder(bytes.NewReader(input))
		decoder.UseNumber()
		if err := decoder.Decode(&fields); err != nil {
			t.Fatal(err)
		}
		written, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if len(written) > rollout.MaxInput { // < and the like grow
			return
		}
		again, err := rollout.Decode(written)
		sameJSON := cmp.Transformer("json", func(text json.RawMessage) any {
			var value any
			_ = json.Unmarshal(text, &value) // the request has been accepted
			return value
		})
		if diff := cmp.Diff(request, again, sameJSON); err != nil || diff != "" {
			t.Errorf("written as %s it is another: %v %s", written, err, diff)
		}
	})
}

// FuzzContinuation: what is read as the state of a rollout that goes on is written
// and read again as the same.
func FuzzContinuation(f *testing.F) {
	for _, text := range []string{`{"continue": {}}`, `{"continue": null}`, `{"continue": 1}`, `{"Continue": {"plan": {"owner": "x"}}, "more": 1}`,
		`{"continue": {"function-name": "f", "plan": {"steps": [{"weight": 1, "seconds": 60}], "owner": "x", "baseline": "1"}, "progress": {"step": 1, "part": 3, "events": 20000}, "health": {"decision": "hand-over"}}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		state, ok, err := rollout.ReadResume(input)
		if err != nil && !ok {
			t.Fatalf("what is no continuation is refused as one: %v", err)
		}
		if !ok || err != nil {
			return
		}
		written, err := json.Marshal(map[string]any{"continue": state})
		if err != nil {
			t.Skip(err) // it has a value that JSON has not, in a payload
		}
		again, ok, err := rollout.ReadResume(written)
		if !ok || err != nil {
			t.Fatalf("not read again: %s: %v", written, err)
		}
		if rewritten, err := json.Marshal(map[string]any{"continue": again}); err != nil || !bytes.Equal(written, rewritten) {
			t.Errorf("%v\n%s\nis read as\n%s", err, written, rewritten)
		}
	})
}

// FuzzRenameIDs: an expression with ids that are renamed to themselves is the
// same, and ids that are renamed are found under their new names.
func FuzzRenameIDs(f *testing.F) {
	for _, text := range []string{"100 * errors / requests", "FILL(a, 0)", `SEARCH('{A,b} a', "c")`, "1e5a + a1", "'", "a.b", "é", "\xff", "IF(m1 > 2, m1, 0)", "aB_9"} {
		f.Add(text)
	}
	source, err := os.ReadFile("testdata/metrics.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(source)) {
		if _, rest, ok := strings.Cut(line, `"expression": "`); ok {
			f.Add(rest[:max(0, strings.IndexByte(rest, '"'))])
		}
	}
	f.Fuzz(func(t *testing.T, expression string) {
		var ids []string
		same := rollout.RenameIDs(expression, func(id string) string {
			ids = append(ids, id)
			return id
		})
		if same != expression {
			t.Fatalf("%q became %q", expression, same)
		}
		var found []string
		renamed := rollout.RenameIDs(expression, func(id string) string { return "q7_" + id })
		back := rollout.RenameIDs(renamed, func(id string) string {
			found = append(found, id)
			return strings.TrimPrefix(id, "q7_")
		})
		if utf8.ValidString(expression) && back != expression {
			t.Errorf("%q became %q, and %q", expression, renamed, back)
		}
		for i := range ids {
			ids[i] = "q7_" + ids[i]
		}
		if !slices.Equal(ids, found) {
			t.Errorf("%q has the ids %q, and renamed %q", expression, ids, found)
		}
	})
}
