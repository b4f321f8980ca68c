package project

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestTheRolloutScriptCanFailUnverifiedPromotions, by the outcome and by nothing that
// a request contains.
func TestTheRolloutScriptCanFailUnverifiedPromotions(t *testing.T) {
	for _, test := range []struct {
		name   string
		world  map[string]string
		code   int
		silent bool
	}{
		{"unverified", map[string]string{"status": "SUCCEEDED\n", "output": `{"outcome":{"result":"promoted","reason":"so","unverified":true}}`}, 4, false},
		{"verified", map[string]string{"status": "SUCCEEDED\n", "output": `{"outcome":{"result":"promoted","reason":"so"}}`}, 0, true},
		{"verified, with the word in a payload and a reason", map[string]string{"status": "SUCCEEDED\n",
			"output": `{"plan":{"gates":{"probes":[{"payload":{"unverified":true}}]}},"outcome":{"result":"promoted","reason":"answered {\"unverified\":true}"}}`}, 0, true},
		{"unreadable output", map[string]string{"status": "SUCCEEDED\n", "lost": "output"}, 3, false},
		{"rolled back", map[string]string{"status": "FAILED\n", "error": "NoData\n"}, 1, true},
	} {
		run, _ := pipeline(t, test.world, "run", "MyFunction", "MyAlias")
		run.Env = append(run.Env, "FAIL_UNVERIFIED=yes")
		output, err := run.CombinedOutput()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != test.code || strings.Contains(string(output), "UNVERIFIED") == test.silent {
			t.Errorf("%s: exits with %d, want %d\n%s", test.name, code, test.code, output)
		}
	}
}
