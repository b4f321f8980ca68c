package localaws

import (
	"fmt"
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
