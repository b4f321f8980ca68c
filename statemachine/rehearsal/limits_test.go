package rehearsal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// TestLegalInputsFitIntoTheExecution rehearses requests that are much longer as
// JSON than to look at: whatever is taken is carried to the rollout's end.
func TestLegalInputsFitIntoTheExecution(t *testing.T) {
	request := func(health string) string {
		return `{"function-name":"f","alias-name":"live","new-version":"8","type":"custom","weights":[0.1,0.5,1],"interval":60,"health":{` + health + `}}`
	}
	var probes, names []string
	for i := range 10 {
		text := `"` + strings.Repeat("<", 2700) + `"`
		probes = append(probes, fmt.Sprintf(`{"name":"p%d","payload":%s,"expect":%s}`, i, text, text))
	}
	for i := range 100 {
		names = append(names, fmt.Sprintf("%02d%s", i, strings.Repeat("警", 84)))
	}
	list, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	alarms := func(state cwtypes.StateValue) map[string]cwtypes.StateValue {
		all := map[string]cwtypes.StateValue{}
		for _, name := range names {
			all[name] = state
		}
		return all
	}
	for _, test := range []struct {
		name, input string
		alarms      map[string]cwtypes.StateValue
		most        int // bytes of a state's output
	}{
		{"10 probes with 5.4 KB of < each", request(`"probes":[` + strings.Join(probes, ",") + `]`), nil, 80_000},
		{"100 alarms of 254 bytes, red at the start", request(`"alarms":` + string(list)), alarms(cwtypes.StateValueAlarm), 90_000},
		{"100 alarms of 254 bytes, without data", request(`"alarms":` + string(list)), alarms(cwtypes.StateValueInsufficientData), 90_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			scenario := subjects()[0].scenario
			scenario.Alarms = test.alarms
			largest, where, ended := 0, "", ""
			_, err := Run(Options{Input: []byte(test.input), Scenario: scenario, Seed: 1, Brief: true, adjust: func(r *run) {
				onEvent := r.machine.onEvent
				r.machine.onEvent = func(e *execution, event asl.Event) {
					onEvent(e, event)
					if len(event.Output) > largest {
						largest, where = len(event.Output), e.state
					}
					if result := e.Result(); result.Status != "" {
						ended = fmt.Sprintf("%s %s", result.Status, result.Error)
					}
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes of input; at most %d of output, in %s; %s", len(test.input), largest, where, ended)
			if strings.Contains(ended, "DataLimitExceeded") || largest == 0 || largest > test.most {
				t.Errorf("%d bytes of output in %s; ended %s", largest, where, ended)
			}
		})
	}
}
