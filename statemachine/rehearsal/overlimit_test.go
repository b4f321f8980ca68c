package rehearsal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// TestOverLimitAnswers has each task answer with more than 256 KiB after it has
// done its work: once, and from then on. The documentation says that the
// workflow's Catch with States.ALL does not catch that; AWS was recorded catching
// it. The alias ends on one version either way.
func TestOverLimitAnswers(t *testing.T) {
	t.Parallel()
	large := json.RawMessage(`"` + strings.Repeat("x", asl.MaxData) + `"`)
	var trials []namedTrial
	failed := map[bool]int{} // executions that ended in the failure itself
	for _, uncaught := range []bool{false, true} {
		for _, name := range []string{"good", "bad"} {
			s := subjectNamed(t, name)
			plain, err := trial{subject: s, deliveries: 1, harmless: true}.try()
			if err != nil {
				t.Fatal(err)
			}
			for task := 1; task <= plain.tasks; task++ {
				for _, lasting := range []bool{false, true} {
					trials = append(trials, namedTrial{trial{subject: s, deliveries: 1, disturb: func(o *observed) {
						o.machine.uncaughtDataLimit = uncaught
						o.onTask = func(number int, next func() (json.RawMessage, error)) (json.RawMessage, error) {
							answer, err := next()
							if err == nil && (number == task || lasting && number > task) {
								return large, nil
							}
							return answer, err
						}
					}}, fmt.Sprintf("%s, task %d, lasting: %v, uncaught: %v", name, task, lasting, uncaught)})
				}
			}
		}
	}
	sweep(t, "task × answer over the limit", trials)

	for _, uncaught := range []bool{false, true} {
		for _, one := range trials {
			if !strings.HasSuffix(one.name, fmt.Sprint(uncaught)) || !strings.Contains(one.name, "lasting: true") {
				continue
			}
			o, err := one.try()
			if err != nil {
				t.Fatal(err)
			}
			if o.machine.executions[0].Result().Error == "States.DataLimitExceeded" {
				failed[uncaught]++
			}
		}
	}
	if failed[false] > 0 || failed[true] == 0 {
		t.Errorf("%d executions ended in States.DataLimitExceeded though it is caught, and %d where it is not", failed[false], failed[true])
	}
}
