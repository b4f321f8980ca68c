package rollout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const topicARN = "arn:aws:sns:eu-central-1:123456789012:rollouts"

// readNotify reads the field as Decode does, with what is wrong with it.
func readNotify(t *testing.T, input string) (Notify, string) {
	t.Helper()
	fields, problem := readObject([]byte(`{"notify": ` + strings.ReplaceAll(input, "ARN", topicARN) + `}`))
	if problem != nil {
		t.Fatal(problem)
	}
	var problems []Problem
	got := (&reader{fields: fields, problems: &problems}).notify("notify")
	var wrong []string
	for _, p := range problems {
		wrong = append(wrong, p.Error())
	}
	return got, strings.Join(wrong, "\n")
}

func TestNotifyAsItIsAskedFor(t *testing.T) {
	const other = "arn:aws-cn:sns:cn-north-1:210987654321:x_Y-1"
	for input, want := range map[string]Notify{
		`{}`:                  {},
		`{"shifted": true}`:   {Shifted: true},
		`{"topics": ["ARN"]}`: {Topics: []string{topicARN}},
		`{"topics": ["ARN", "` + other + `"], "chat": true}`: {Topics: []string{topicARN, other}, Chat: true},
	} {
		got, wrong := readNotify(t, input)
		if diff := cmp.Diff(want, got); diff != "" || wrong != "" {
			t.Errorf("%s: %s, %s", input, wrong, diff)
		}
	}
}

func TestNotifyAsItIsRefused(t *testing.T) {
	for input, want := range map[string]string{
		`1`:                         "notify must be an object; given: 1",
		`{"topic": "x"}`:            `notify.topic is not a known field (did you mean "topics"?); given: "x"`,
		`{"chat": true}`:            "notify.chat does not apply without topics: it sets the format of what they receive; given: true",
		`{"shifted": "yes"}`:        `notify.shifted must be true or false, without quotes; given: "yes"`,
		`{"topics": []}`:            "notify.topics must be a list of 1 to 5, each " + wantTopic + "; given: []",
		`{"topics": [1,2,3,4,5,6]}`: "notify.topics must be a list of 1 to 5, each " + wantTopic + "; given: [1,2,3,4,5,6]",
		`{"topics": ["ARN.fifo"]}`:  "notify.topics[0] must be " + wantTopic + `; given: "` + topicARN + `.fifo"`,
		`{"topics": ["ARN:0"]}`:     "notify.topics[0] must be " + wantTopic + `; given: "` + topicARN + `:0"`,
		`{"topics": ["ARN", "ARN"], "chat": 1}`: "notify.topics[1] is already in the list; given: \"" + topicARN + "\"\n" +
			"notify.chat must be true or false, without quotes; given: 1",
	} {
		if _, wrong := readNotify(t, input); wrong != want {
			t.Errorf("%s:\n%s, want\n%s", input, wrong, want)
		}
	}
}

// TestWhoIsNotifiedOfABadInput: what is right in it is used, and nothing else.
func TestWhoIsNotifiedOfABadInput(t *testing.T) {
	notify := Notify{Topics: []string{topicARN}}
	for input, want := range map[string]Addressee{
		`[1]`: {},
		`{"function-name": "arn:aws:lambda:eu-west-1:123456789012:function:f", "alias-name": "live", "new-version": 2, "notify": {"topics": ["ARN"]}, "wrong": 1}`: {"f", "arn:aws:lambda:eu-west-1:123456789012:function:f", "live", "2", notify},
		`{"function-name": "f:live", "alias-name": "7", "new-version": "x", "notify": {"topics": ["ARN"]}}`:                                                        {Notify: notify},
		`{"function-name": "f", "notify": {"topics": ["ARN"], "topic": 1}}`:                                                                                        {Function: "f", FunctionName: "f"},
	} {
		got := ReadAddressee([]byte(strings.ReplaceAll(input, "ARN", topicARN)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", input, diff)
		}
	}
}

func TestOnlySoMuchIsKept(t *testing.T) {
	var all []FailedDelivery
	for i := range 12 {
		all = append(all, FailedDelivery{Event: EventShifted, Step: i, Error: strings.Repeat("ü", 1000)})
	}
	kept := KeepFailedDeliveries(all)
	if len(kept) != 10 || kept[0].Step != 2 || len(kept[9].Error) > 320 {
		t.Errorf("%d kept, from %d, with errors of %d bytes", len(kept), kept[0].Step, len(kept[9].Error))
	}
}
