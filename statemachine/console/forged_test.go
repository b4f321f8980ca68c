package console

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestForgedDataIsNotShown starts what looks like another rollout's data: the page neither shows
// it as the rollout's, nor gives orders to the rollout that it names.
func TestForgedDataIsNotShown(t *testing.T) {
	w := newWorld(t, bad)
	c := callerOf(t, w.options())
	const forged = `{"function-name": "MyFunction", "alias-name": "MyAlias", "new-version": "2", "plan": {"owner": "victim", "baseline": "9", "steps": [{"weight": 1}]},
		"progress": {"step": 1, "weight": 0.77}, "outcome": {"result": "promoted", "reason": "forged reason"}}`
	c.post(http.StatusSeeOther, "start", "name", "r1", "json", forged)
	for _, after := range []time.Duration{0, time.Second, time.Minute} {
		w.advance(after)
		page := c.get(200, "execution", "name", "r1")
		for _, text := range []string{`value="victim"`, "77%", "on version 9"} {
			if strings.Contains(page, text) {
				t.Errorf("after %s the page shows %q", after, text)
			}
		}
	}
}
