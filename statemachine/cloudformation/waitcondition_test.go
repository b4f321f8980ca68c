package cloudformation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
)

// TestAWaitCondition waits for the signal, for half an hour here, after the custom resource has been answered.
func TestAWaitCondition(t *testing.T) {
	for signal, want := range map[string]string{
		`{"Status": "SUCCESS", "UniqueId": "a", "Data": "2", "Reason": "promoted"}`: "11m0s Wait CREATE_COMPLETE\n11m0s shop CREATE_COMPLETE",
		`{"Status": "FAILURE", "UniqueId": "a", "Reason": "too many errors"}`:       "11m0s Wait CREATE_FAILED: WaitCondition received failed message: 'too many errors' for uniqueId: a",
		`{"Status": "FAILED", "UniqueId": "a"}`:                                     "31m0s Wait CREATE_FAILED: WaitCondition timed out",
	} {
		w := newWorld(t, nil)
		w.run(func() {
			s, err := w.Create("shop", template("A", func(all map[string]cloudformation.Resource) {
				reference := map[string]any{"Ref": "Handle"}
				all["Handle"] = cloudformation.Resource{Type: "AWS::CloudFormation::WaitConditionHandle"}
				all["Wait"] = cloudformation.Resource{Type: "AWS::CloudFormation::WaitCondition", DependsOn: []string{"Rollout"}, Properties: map[string]any{"Handle": reference, "Timeout": 1800}}
				all["Rollout"].Properties["WaitHandle"] = reference
			}))
			if err != nil {
				t.Error(err)
				return
			}
			w.clock.Sleep(11 * time.Minute)
			url := w.requests[0].ResourceProperties["WaitHandle"].(string)
			if !strings.HasPrefix(url, "https://cloudformation-waitcondition-eu-central-1.s3.eu-central-1.amazonaws.com/arn%3Aaws%3Acloudformation%3A") {
				t.Errorf("the handle's URL is %s", url)
			}
			for range 2 {
				if status, err := w.put(url, []byte(signal)); status != 200 || err != nil {
					t.Errorf("%d %v", status, err)
				}
			}
			s.Wait()
			if events := log(s, 0); !strings.Contains(events, want) {
				t.Errorf("no %q in\n%s", want, events)
			}
		})
	}
}
