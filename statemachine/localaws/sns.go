package localaws

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// Published is a message that a topic received.
type Published struct {
	Topic   string // the topic's ARN
	Subject string // empty for none
	// Message is the message as it was published. If it was published with the MessageStructure "json", PerProtocol has
	// its text for each protocol ("default", "email", …); otherwise it is nil.
	Message     string
	PerProtocol map[string]string
	Attributes  map[string]string
	At          time.Time
}

// For returns the text that a subscriber with the protocol ("email", "lambda", …) receives.
func (p Published) For(protocol string) string {
	if p.PerProtocol == nil {
		return p.Message
	}
	if text, ok := p.PerProtocol[protocol]; ok {
		return text
	}
	return p.PerProtocol["default"]
}

// snsService implements Amazon SNS's standard topics, without subscriptions.
type snsService struct {
	awsQuery
	now             func() time.Time
	region, account string

	mu        sync.Mutex // guards what follows
	topics    []string   // ARNs
	published []Published
	count     uint64 // of all messages, for their ids
}

// MaxPublished is how many messages to topics are kept. New ones replace the oldest.
const MaxPublished = 10_000

// keep keeps a message, and returns its id. n.mu is held.
func (n *snsService) keep(p Published) string {
	n.count++
	n.published = append(keptLatest(n.published, MaxPublished), p)
	return identifier(n.count)
}

// keptLatest returns the list with room for one more item below the bound. So that most calls move nothing, it drops a tenth of
// the items at once, the first ones.
func keptLatest[T any](list []T, most int) []T {
	if len(list) < most {
		return list
	}
	return slices.Delete(list, 0, len(list)-most*9/10)
}

func newSNSService(o Options) *snsService {
	return &snsService{
		awsQuery: awsQuery{version: "2010-03-31", namespace: "http://sns.amazonaws.com/doc/2010-03-31/", fault: "InternalError", known: []string{"Publish", "ListTopics", "GetTopicAttributes"}},
		now:      o.Now, region: o.Region, account: o.Account,
	}
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// AddTopic adds a standard topic, without a call, and returns its ARN. It returns an error if the name is invalid or taken.
func (s *Server) AddTopic(name string) (arn string, err error) {
	if !topicName.MatchString(name) {
		return "", fmt.Errorf("add topic: %q is not a valid name of a standard topic", name)
	}
	n := s.sns
	n.mu.Lock()
	defer n.mu.Unlock()
	arn = "arn:aws:sns:" + n.region + ":" + n.account + ":" + name
	if slices.Contains(n.topics, arn) {
		return "", fmt.Errorf("add topic: %q already exists", name)
	}
	n.topics = append(n.topics, arn)
	return arn, nil
}

// Published returns the messages that topics received, the oldest first: the latest [MaxPublished] at most.
func (s *Server) Published() []Published {
	s.sns.mu.Lock()
	defer s.sns.mu.Unlock()
	return slices.Clone(s.sns.published)
}

func (n *snsService) route(r *http.Request) (operation, target string, err *apiError) {
	operation, form, err := n.call(r)
	return operation, arn.Name(form.Get("TopicArn")), err
}

func (n *snsService) handle(operation string, r *request) (reply, *apiError) {
	form, err := formOf(r)
	if err != nil {
		return reply{}, err
	}
	switch operation {
	case "Publish":
		return n.publish(form)
	case "ListTopics":
		return n.listTopics(form)
	case "GetTopicAttributes":
		return n.getTopicAttributes(form)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// publish publishes a message to a topic. Messages to phones and to devices' endpoints are not supported.
func (n *snsService) publish(form url.Values) (reply, *apiError) {
	if err := unknownParameters(form); err != nil {
		return reply{}, err
	}
	p := Published{Topic: form.Get("TopicArn"), Subject: form.Get("Subject"), Message: form.Get("Message"), Attributes: map[string]string{}, At: n.now()}
	size := len(p.Message)
	for i := 1; form.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", i)); i++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		name, kind, value := form.Get(entry+"Name"), form.Get(entry+"Value.DataType"), form.Get(entry+"Value.StringValue")
		switch {
		case kind != "String" && kind != "Number":
			return reply{}, badRequest("InvalidParameterValue", "The local AWS supports message attributes of the types String and Number only; '%s' has the type '%s'.", name, kind)
		case value == "":
			return reply{}, badRequest("InvalidParameterValue", "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, kind)
		}
		if _, err := strconv.ParseFloat(value, 64); kind == "Number" && err != nil {
			return reply{}, badRequest("InvalidParameterValue", "Could not cast message attribute '%s' value to number.", name)
		}
		p.Attributes[name] = value
		size += len(name) + len(kind) + len(value)
	}
	if err := checkTopicARN(p.Topic); err != nil {
		return reply{}, err
	}
	switch {
	case p.Message == "":
		return reply{}, badRequest("InvalidParameter", "Invalid parameter: Empty message")
	case size > 256<<10:
		return reply{}, badRequest("InvalidParameter", "Invalid parameter: Message too long")
	case form.Has("Subject") && !isSubject(p.Subject):
		return reply{}, badRequest("InvalidParameter", "Invalid parameter: Subject")
	case form.Has("MessageStructure"):
		var err *apiError
		if p.PerProtocol, err = readStructure(form.Get("MessageStructure"), p.Message); err != nil {
			return reply{}, err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.topics, p.Topic) {
		return reply{}, &apiError{http.StatusNotFound, "NotFound", "Topic does not exist"}
	}
	return n.encode("Publish", struct {
		MessageID string `xml:"MessageId"`
	}{n.keep(p)}), nil
}

// deliver publishes a message of another service, without a call. It returns false if there is no such topic.
func (n *snsService) deliver(topic, subject, message string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.topics, topic) {
		return false
	}
	n.keep(Published{Topic: topic, Subject: subject, Message: message, Attributes: map[string]string{}, At: n.now()})
	return true
}

// checkTopicARN returns an error for what is not the ARN of a topic.
func checkTopicARN(given string) *apiError {
	switch n := len(strings.Split(given, ":")); {
	case n < 6:
		return badRequest("InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not %d", n)
	case n > 6:
		return badRequest("InvalidParameter", "Invalid parameter: TopicArn")
	}
	return nil
}

// topicsPerPage is how many topics ListTopics returns at most.
const topicsPerPage = 100

// listTopics returns a page of the topics, in the order of their creation. Its NextToken is the number of the next one.
func (n *snsService) listTopics(form url.Values) (reply, *apiError) {
	n.mu.Lock()
	defer n.mu.Unlock()
	from := 0
	if token := form.Get("NextToken"); token != "" {
		var err error
		if from, err = strconv.Atoi(token); err != nil || from < 1 || from >= len(n.topics) {
			return reply{}, badRequest("InvalidParameter", "Invalid parameter: NextToken")
		}
	}
	type topic struct{ TopicArn string }
	var out struct {
		Topics    []topic `xml:"Topics>member"`
		NextToken string  `xml:",omitempty"`
	}
	for _, arn := range n.topics[from:min(from+topicsPerPage, len(n.topics))] {
		out.Topics = append(out.Topics, topic{arn})
	}
	if from+topicsPerPage < len(n.topics) {
		out.NextToken = strconv.Itoa(from + topicsPerPage)
	}
	return n.encode("ListTopics", out), nil
}

// getTopicAttributes returns the attributes of a topic that has only those that each topic has.
func (n *snsService) getTopicAttributes(form url.Values) (reply, *apiError) {
	given := form.Get("TopicArn")
	if err := checkTopicARN(given); err != nil {
		return reply{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.topics, given) {
		return reply{}, &apiError{http.StatusNotFound, "NotFound", "Topic does not exist"}
	}
	type attribute struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
	var out struct {
		Attributes []attribute `xml:"Attributes>entry"`
	}
	out.Attributes = []attribute{
		{"TopicArn", given}, {"Owner", n.account}, {"DisplayName", ""},
		{"SubscriptionsConfirmed", "0"}, {"SubscriptionsPending", "0"}, {"SubscriptionsDeleted", "0"},
	}
	return n.encode("GetTopicAttributes", out), nil
}

// isSubject reports whether SNS accepts a text as a message's subject.
func isSubject(text string) bool {
	return len(text) >= 1 && len(text) <= 100 && text[0] != ' ' && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// readStructure reads a message that is a JSON object with a text for each protocol.
func readStructure(structure, message string) (map[string]string, *apiError) {
	if structure != "json" {
		return nil, badRequest("InvalidParameter", "Invalid parameter: MessageStructure")
	}
	var all map[string]any
	if json.Unmarshal([]byte(message), &all) != nil {
		return nil, badRequest("InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse")
	}
	texts := map[string]string{}
	for protocol, value := range all {
		if text, ok := value.(string); ok { // SNS ignores the others
			texts[protocol] = text
		}
	}
	if _, ok := texts["default"]; !ok {
		return nil, badRequest("InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
	}
	return texts, nil
}

// unknownParameters returns an error for a parameter that is not supported.
func unknownParameters(form url.Values) *apiError {
	known := []string{"Action", "Version", "TopicArn", "Subject", "Message", "MessageStructure"}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "MessageAttributes.entry.") {
			return badRequest("InvalidParameter", "Invalid parameter: the local AWS does not support %s", name)
		}
	}
	return nil
}
