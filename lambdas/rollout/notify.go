package rollout

import (
	"regexp"
	"time"
)

// Notify says who else is to be told of a rollout, and of what. The stack's own
// topic and the event bus are told in any case.
type Notify struct {
	// Topics are ARNs of standard SNS topics, at most MaxTopics.
	Topics []string `json:"topics,omitempty"`
	// Shifted tells of every shift, and not only of the first.
	Shifted bool `json:"shifted,omitempty"`
	// Chat sends to Topics what Amazon Q Developer in chat applications shows,
	// and nothing else.
	Chat bool `json:"chat,omitempty"`
}

// MaxTopics is the most topics that a request may name.
const MaxTopics = 5

var notifyNames = []string{"topics", "shifted", "chat"}

// topicForm is the ARN of a standard topic: the name of a FIFO topic has a dot.
var topicForm = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// notify reads them.
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

// Addressee is what an input says of a rollout that has to be told about,
// whatever else is wrong with it. What is missing or wrong is empty.
type Addressee struct {
	// Function is the function's plain name, and FunctionName as the input has it.
	Function, FunctionName, Alias, NewVersion string
	Notify                                    Notify
}

// ReadAddressee reads any input of an execution.
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

// FailedDelivery is a notification of a rollout under way that one of those to be
// told did not get. It is kept in the state, where a person sees it, and tried
// again.
type FailedDelivery struct {
	Event Event     `json:"event"`
	Step  int       `json:"step"`
	Time  time.Time `json:"time"`
	// Target is a topic's ARN, or the event bus.
	Target string `json:"to"`
	// Error is why the last try failed, cut short.
	Error string `json:"error"`
	Tries int    `json:"tries"`
}

// Limits of what is kept and tried again.
const (
	MaxFailedDeliveries = 10 // the last ones are kept
	MaxTries            = 10 // after which one is only shown
)

// KeepFailedDeliveries keeps the last MaxUndelivered, with their errors cut short,
// so that they can't fill the state.
func KeepFailedDeliveries(all []FailedDelivery) []FailedDelivery {
	if len(all) > MaxFailedDeliveries {
		all = all[len(all)-MaxFailedDeliveries:]
	}
	for i := range all {
		all[i].Error = Shorten(all[i].Error, maxError)
	}
	return all
}
