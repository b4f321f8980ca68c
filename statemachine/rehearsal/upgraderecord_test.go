package rehearsal

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

var recordRelease = flag.String("record-release", "", "write what this version's rollouts look like under testdata/versions, as this version's")

// recordVersion writes what this version's rollouts look like. Of each, it keeps the last call of
// each function and phase.
func recordVersion(t *testing.T, version string) {
	folder := filepath.Join(versions, version)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("rollout.asl.json", []byte(statemachine.Definition))
	write("release.asl.json", []byte(statemachine.ReleaseDefinition))
	for _, u := range upgradables(t) {
		rec := tap{}
		if _, _, err := u.play([]byte(u.input), nil, &rec); err != nil {
			t.Fatalf("%s: %v", u.name, err)
		}
		rec.Input = json.RawMessage(u.input)
		last := map[string]int{}
		for i, call := range rec.Calls {
			last[call.Function+" "+phaseOf(call.Payload)] = i
		}
		var kept []recordedCall
		for i, call := range rec.Calls {
			if call.Number > 1 && last[call.Function+" "+phaseOf(call.Payload)] == i {
				kept = append(kept, call)
			}
		}
		rec.Calls = kept
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(rec.recordedRollout); err != nil {
			t.Fatal(err)
		}
		write(fileOf(u), out.Bytes())
	}
}

func phaseOf(payload json.RawMessage) string {
	var call struct {
		Phase string `json:"phase"`
	}
	_ = json.Unmarshal(payload, &call)
	return call.Phase
}
