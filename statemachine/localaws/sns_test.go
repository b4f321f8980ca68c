package localaws

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
)

func addTopic(t *testing.T, s *Server, name string) string {
	t.Helper()
	arn, err := s.AddTopic(name)
	check(t, err)
	return arn
}

func attribute(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func TestPublish(t *testing.T) {
	w := newWorld(t, Options{})
	topic := addTopic(t, w.Server, "rollouts")
	want := []Published{
		{Topic: topic, Message: "a <b> & ü", Attributes: map[string]string{}, At: noon},
		{Topic: topic, Subject: "A subject", Message: `{"default": "{}", "email": "Hello", "sms": 1}`, PerProtocol: map[string]string{"default": "{}", "email": "Hello"},
			Attributes: map[string]string{"event": "promoted", "function": "f"}, At: noon},
	}
	ids := map[string]bool{}
	for transport, cfg := range configurations(t, w.Server) {
		before := len(w.Published())
		for _, in := range []*sns.PublishInput{
			{TopicArn: &topic, Message: aws.String("a <b> & ü")},
			{TopicArn: &topic, Subject: aws.String("A subject"), MessageStructure: aws.String("json"), Message: aws.String(`{"default": "{}", "email": "Hello", "sms": 1}`),
				MessageAttributes: map[string]types.MessageAttributeValue{"event": attribute("promoted"), "function": attribute("f")}},
		} {
			out, err := sns.NewFromConfig(cfg).Publish(t.Context(), in)
			check(t, err)
			ids[aws.ToString(out.MessageId)] = true
		}
		got := w.Published()[before:]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s: %s", transport, diff)
		}
		if got[0].For("email") != "a <b> & ü" || got[1].For("email") != "Hello" || got[1].For("sqs") != "{}" {
			t.Errorf("%s: subscribers get something else", transport)
		}
	}
	if len(ids) != 4 || ids[""] {
		t.Errorf("message ids %v", ids)
	}
}

func TestPublishRefuses(t *testing.T) {
	w := newWorld(t, Options{})
	topic := addTopic(t, w.Server, "rollouts")
	good := func() *sns.PublishInput {
		return &sns.PublishInput{TopicArn: &topic, Message: aws.String("hello"), Subject: aws.String("subject"),
			MessageAttributes: map[string]types.MessageAttributeValue{"event": attribute("promoted")}}
	}
	for name, test := range map[string]struct {
		change func(*sns.PublishInput)
		want   string
	}{
		"nothing":           {func(*sns.PublishInput) {}, ""},
		"a long subject":    {func(in *sns.PublishInput) { in.Subject = aws.String(strings.Repeat("x", 101)) }, "InvalidParameter"},
		"100 characters":    {func(in *sns.PublishInput) { in.Subject = aws.String(strings.Repeat("x", 100)) }, ""},
		"two lines":         {func(in *sns.PublishInput) { in.Subject = aws.String("a\nb") }, "InvalidParameter"},
		"not ASCII":         {func(in *sns.PublishInput) { in.Subject = aws.String("ü") }, "InvalidParameter"},
		"a space first":     {func(in *sns.PublishInput) { in.Subject = aws.String(" a") }, "InvalidParameter"},
		"no message":        {func(in *sns.PublishInput) { in.Message = aws.String("") }, "InvalidParameter"},
		"256 KiB":           {func(in *sns.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10-19)) }, ""},
		"more":              {func(in *sns.PublishInput) { in.Message = aws.String(strings.Repeat("x", 256<<10-18)) }, "InvalidParameter"},
		"another structure": {func(in *sns.PublishInput) { in.MessageStructure = aws.String("xml") }, "InvalidParameter"},
		"not JSON":          {func(in *sns.PublishInput) { in.MessageStructure = aws.String("json") }, "InvalidParameter"},
		"no default": {func(in *sns.PublishInput) {
			in.MessageStructure, in.Message = aws.String("json"), aws.String(`{"default": 1, "email": "x"}`)
		}, "InvalidParameter"},
		"an empty attribute": {func(in *sns.PublishInput) { in.MessageAttributes["event"] = attribute("") }, "InvalidParameterValue"},
		"a number": {func(in *sns.PublishInput) {
			in.MessageAttributes["event"] = types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("1")}
		}, ""},
		"no number": {func(in *sns.PublishInput) {
			in.MessageAttributes["event"] = types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("one")}
		}, "InvalidParameterValue"},
		"bytes": {func(in *sns.PublishInput) {
			in.MessageAttributes["event"] = types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: []byte("1")}
		}, "InvalidParameterValue"},
		"no such topic": {func(in *sns.PublishInput) { in.TopicArn = aws.String(topic + "2") }, "NotFound"},
		"no ARN":        {func(in *sns.PublishInput) { in.TopicArn = aws.String("rollouts") }, "InvalidParameter"},
		"a phone":       {func(in *sns.PublishInput) { in.TopicArn, in.PhoneNumber = nil, aws.String("+1") }, "InvalidParameter"},
		"a FIFO's":      {func(in *sns.PublishInput) { in.MessageGroupId = aws.String("x") }, "InvalidParameter"},
	} {
		in, before := good(), len(w.Published())
		test.change(in)
		_, err := sns.NewFromConfig(w.Config()).Publish(t.Context(), in)
		if code, _ := outcome(err); code != test.want {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if took := len(w.Published()) > before; took != (test.want == "") {
			t.Errorf("%s: taken: %v", name, took)
		}
	}
	for _, name := range []string{"", "rollouts", "queue.fifo"} {
		if _, err := w.AddTopic(name); err == nil {
			t.Errorf("a topic %q", name)
		}
	}
}

func TestSNSHasFaults(t *testing.T) {
	w := newWorld(t, Options{})
	topic := addTopic(t, w.Server, "rollouts")
	got := map[FaultKind]string{}
	for _, kind := range []FaultKind{Throttled, ServerError, Unavailable} {
		fault, err := w.Inject(Fault{Operation: "Publish", Kind: kind})
		check(t, err)
		_, err = sns.NewFromConfig(w.Config()).Publish(t.Context(), &sns.PublishInput{TopicArn: &topic, Message: aws.String("x")})
		got[kind], _ = outcome(err)
		fault.Remove()
	}
	want := map[FaultKind]string{Throttled: "Throttling", ServerError: "InternalError", Unavailable: "ServiceUnavailable"}
	if !maps.Equal(got, want) || len(w.Published()) != 0 {
		t.Errorf("%v, %d messages", got, len(w.Published()))
	}
	_, err := sns.NewFromConfig(w.Config()).ListSubscriptions(t.Context(), nil)
	if code, _ := outcome(err); code != "InvalidAction" || !strings.Contains(err.Error(), "ListSubscriptions") {
		t.Errorf("an operation that is not there: %v", err)
	}
}

func TestTopicsAreListed(t *testing.T) {
	s := New(Options{})
	var want []string
	for i := range topicsPerPage*2 + 1 {
		want = append(want, addTopic(t, s, fmt.Sprint("topic", i)))
	}
	for transport, cfg := range configurations(t, s) {
		client := sns.NewFromConfig(cfg)
		var got []string
		pages := sns.NewListTopicsPaginator(client, nil)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			check(t, err)
			for _, topic := range page.Topics {
				got = append(got, *topic.TopicArn)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", transport, diff)
		}
		out, err := client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &want[1]})
		check(t, err)
		if out.Attributes["TopicArn"] != want[1] || out.Attributes["Owner"] != "123456789012" {
			t.Errorf("%s: %v", transport, out.Attributes)
		}
		for arn, code := range map[string]string{want[1] + "x": "NotFound", "x": "InvalidParameter"} {
			_, err := client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: &arn})
			if got, _ := outcome(err); got != code {
				t.Errorf("%s: %s: %v", transport, arn, err)
			}
		}
		if _, err := client.ListTopics(t.Context(), &sns.ListTopicsInput{NextToken: aws.String("x")}); err == nil {
			t.Errorf("%s: a made-up token is accepted", transport)
		}
	}
}
