package rollout_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestSeenAlarmsAreReadAsTheyAreWritten: a time that changed on the way would be
// taken for a change of the alarm's state.
func TestSeenAlarmsAreReadAsTheyAreWritten(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 678e6, time.UTC)
	for text, alarm := range map[string]rollout.SeenAlarm{
		`"OK 2026-01-02T15:04:05.678Z"`:      {OK: true, Since: at},
		`"OK 2026-01-02T15:04:05.678Z gaps"`: {OK: true, Since: at, Gaps: true},
		`"- 2026-01-02T15:04:05.678Z gaps"`:  {Since: at, Gaps: true},
		`"- 0001-01-01T00:00:00.000Z"`:       {},
	} {
		if written, err := json.Marshal(alarm); err != nil || string(written) != text {
			t.Errorf("%s, %v; want %s", written, err, text)
		}
		var read rollout.SeenAlarm
		if err := json.Unmarshal([]byte(text), &read); err != nil || read != alarm {
			t.Errorf("%s: %+v, %v", text, read, err)
		}
	}
	var read rollout.SeenAlarm
	if json.Unmarshal([]byte(`"OK yesterday"`), &read) == nil {
		t.Error("read what is no time")
	}
}
