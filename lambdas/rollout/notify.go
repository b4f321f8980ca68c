package rollout

import (
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Notify specifies who else is notified of a rollout, and of which events. The stack's own
// topic and the event bus are notified in any case.
type Notify struct {
	// Topics are ARNs of standard SNS topics, at most MaxTopics.
	Topics []string `json:"topics,omitempty"`
	// Shifted notifies of every shift, not only of the first.
	Shifted bool `json:"shifted,omitempty"`
	// Chat sends Topics the format that Amazon Q Developer in chat applications
	// displays, and nothing else.
	Chat bool `json:"chat,omitempty"`
}

// MaxTopics is the largest number of topics in a request.
const MaxTopics = 5

var notifyNames = []string{"topics", "shifted", "chat"}

// topicForm matches ARNs of standard topics: a FIFO topic's name has a dot.
var topicForm = lazyregexp.New(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// notify reads whom to notify.
func (r *reader) notify(path string) Notify {
	n := r.object(path)
	notify := Notify{
		Topics:  n.list("topics", MaxTopics, topicForm, wantTopic),
		Shifted: n.boolean("shifted", false),
		Chat:    n.boolean("chat", false),
	}
	if notify.Chat && !n.has("topics") {
		n.refuse("chat", wantChatTopics)
	}
	n.refuseUnknown(notifyNames)
	return notify
}

// Addressee holds the notification fields that are readable even in an invalid
// input: whom to notify, and of what.
// Fields that are missing or wrong in the input are empty.
type Addressee struct {
	// Function is the function's plain name; FunctionName is as given.
	Function, FunctionName, Alias, NewVersion string
	Notify                                    Notify
}

// ReadAddressee reads the Addressee from any input of an execution.
func ReadAddressee(input []byte) Addressee {
	fields, problem := readObject(input)
	if problem != nil {
		return Addressee{}
	}
	var problems []Problem
	r := &reader{fields: fields, problems: &problems}
	var a Addressee
	if name := r.function("function-name"); len(problems) == 0 {
		a.Function, a.FunctionName = Request{FunctionName: name}.Function(), name
	}
	problems = nil
	if name := r.alias("alias-name"); len(problems) == 0 {
		a.Alias = name
	}
	problems = nil
	if version := r.version("new-version"); len(problems) == 0 {
		a.NewVersion = version
	}
	problems = nil
	if notify := r.notify("notify"); len(problems) == 0 {
		a.Notify = notify
	}
	return a
}

// FailedDelivery is a notification during a rollout that could not be delivered to
// one target. It is kept in the state, where people see it, and retried.
type FailedDelivery struct {
	Event Event     `json:"event"`
	Step  int       `json:"step"`
	Time  time.Time `json:"time"`
	// Target is a topic's ARN, or notify.BusName.
	Target string `json:"to"`
	// Error is why the last try failed, shortened.
	Error string `json:"error"`
	Tries int    `json:"tries"`
}

// Outdated reports whether a delivery need not be retried: the approval was given, or
// the pause was ended or began, since it failed.
func (s State) Outdated(u FailedDelivery) bool {
	switch u.Event {
	case EventApprovalWanted:
		return s.Progress.Step >= u.Step
	case EventPaused, EventOrderUnknown:
		return s.Progress.Pause == nil
	case EventResumed:
		return s.Progress.Pause != nil
	}
	return false
}

// Limits of what is kept and retried.
const (
	MaxFailedDeliveries = 10 // the last ones are kept
	MaxTries            = 10 // after which one is no longer retried
)

// KeepFailedDeliveries returns the last MaxFailedDeliveries, with their errors
// shortened in place, so that they can't fill the state.
func KeepFailedDeliveries(all []FailedDelivery) []FailedDelivery {
	if len(all) > MaxFailedDeliveries {
		all = all[len(all)-MaxFailedDeliveries:]
	}
	for i := range all {
		all[i].Error = Shorten(all[i].Error, maxError)
	}
	return all
}
