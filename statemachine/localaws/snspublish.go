package localaws

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// publish publishes a message to a topic. Messages to phones and to devices' endpoints are not supported.
func (n *snsService) publish(form url.Values) (reply, *apiError) {
	if err := unknownParameters(form); err != nil {
		return reply{}, err
	}
	given := publication{topic: form.Get("TopicArn"), message: form.Get("Message"), subject: formText(form, "Subject"), structure: formText(form, "MessageStructure")}
	for i := 1; form.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", i)); i++ {
		entry := fmt.Sprintf("MessageAttributes.entry.%d.", i)
		given.attributes = append(given.attributes, messageAttribute{form.Get(entry + "Name"), form.Get(entry + "Value.DataType"), form.Get(entry + "Value.StringValue")})
	}
	id, err := n.accept(given)
	if err != nil {
		return reply{}, err
	}
	return n.encode("Publish", struct {
		MessageID string `xml:"MessageId"`
	}{id}), nil
}

// formText returns a parameter; nil if the form does not have it.
func formText(form url.Values, name string) *string {
	if !form.Has(name) {
		return nil
	}
	return aws.String(form.Get(name))
}

// publication is the input of Publish.
type publication struct {
	topic, message     string
	subject, structure *string // nil for none
	attributes         []messageAttribute
}

type messageAttribute struct{ name, kind, value string }

// accept keeps a message and returns its id, or why it is refused.
func (n *snsService) accept(given publication) (id string, refused *apiError) {
	p := Published{Topic: given.topic, Subject: aws.ToString(given.subject), Message: given.message, Attributes: map[string]string{}, At: n.now()}
	size := len(p.Message)
	for _, a := range given.attributes {
		switch {
		case a.kind != "String" && a.kind != "Number":
			return "", badRequest("InvalidParameterValue", "The local AWS supports message attributes of the types String and Number only; '%s' has the type '%s'.", a.name, a.kind)
		case a.value == "":
			return "", badRequest("InvalidParameterValue", "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", a.name, a.kind)
		}
		if _, err := strconv.ParseFloat(a.value, 64); a.kind == "Number" && err != nil {
			return "", badRequest("InvalidParameterValue", "Could not cast message attribute '%s' value to number.", a.name)
		}
		p.Attributes[a.name] = a.value
		size += len(a.name) + len(a.kind) + len(a.value)
	}
	if err := checkTopicARN(p.Topic); err != nil {
		return "", err
	}
	switch {
	case p.Message == "":
		return "", badRequest("InvalidParameter", "Invalid parameter: Empty message")
	case size > 256<<10:
		return "", badRequest("InvalidParameter", "Invalid parameter: Message too long")
	case given.subject != nil && !isSubject(p.Subject):
		return "", badRequest("InvalidParameter", "Invalid parameter: Subject")
	case given.structure != nil:
		var err *apiError
		if p.PerProtocol, err = readStructure(*given.structure, p.Message); err != nil {
			return "", err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.topics, p.Topic) {
		return "", &apiError{http.StatusNotFound, "NotFound", "Topic does not exist"}
	}
	return n.keep(p), nil
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
