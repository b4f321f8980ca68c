package localaws

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Event is an event that the account's default event bus received.
type Event struct {
	Source, DetailType string
	Detail             json.RawMessage
	Resources          []string
	Time               time.Time
}

// eventBridgeService implements Amazon EventBridge's default event bus, without rules.
type eventBridgeService struct {
	awsJSON
	now             func() time.Time
	region, account string

	mu     sync.Mutex // guards what follows
	events []Event
}

func newEventBridgeService(o Options) *eventBridgeService {
	return &eventBridgeService{
		awsJSON: awsJSON{target: "AWSEvents.", fault: "InternalException", known: []string{"PutEvents"}},
		now:     o.Now, region: o.Region, account: o.Account,
	}
}

// Events returns all events that the default event bus received, the oldest first.
func (s *Server) Events() []Event {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return slices.Clone(s.events.events)
}

func (b *eventBridgeService) handle(operation string, r *request) (reply, *apiError) {
	if operation != "PutEvents" {
		return reply{}, unknownOperation(operation, r.Request)
	}
	return b.putEvents(r)
}

// eventEntry is an entry of PutEvents.
type eventEntry struct {
	Source, DetailType, Detail, EventBusName string
	Resources                                []string
	Time                                     *float64 // in seconds since 1970
}

// putEvents accepts the valid entries and refuses the others. The answer has a result for each entry.
func (b *eventBridgeService) putEvents(r *request) (reply, *apiError) {
	var in struct {
		Entries    []eventEntry
		EndpointID *string `json:"EndpointId"`
	}
	if err := b.decode(r, &in); err != nil {
		return reply{}, err
	}
	size := 0
	for _, entry := range in.Entries {
		size += entry.size()
	}
	switch n := len(in.Entries); {
	case in.EndpointID != nil:
		return reply{}, badRequest("ValidationException", "EndpointId is not supported by the local AWS.")
	case n < 1 || n > 10:
		return reply{}, invalid(n, "entries", "Member must have length less than or equal to 10 and greater than or equal to 1")
	case size > 1<<20:
		return reply{}, badRequest("ValidationException", "Total size of the entries in the request is over the limit.")
	}
	type result struct {
		EventID      string `json:"EventId,omitempty"`
		ErrorCode    string `json:",omitempty"`
		ErrorMessage string `json:",omitempty"`
	}
	var out struct {
		FailedEntryCount int
		Entries          []result
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range in.Entries {
		if code, why := b.refuses(entry); code != "" {
			out.FailedEntryCount++
			out.Entries = append(out.Entries, result{ErrorCode: code, ErrorMessage: why})
			continue
		}
		event := Event{Source: entry.Source, DetailType: entry.DetailType, Detail: json.RawMessage(entry.Detail), Resources: entry.Resources, Time: b.now()}
		if entry.Time != nil {
			event.Time = time.UnixMilli(int64(*entry.Time * 1000)).UTC()
		}
		b.events = append(b.events, event)
		out.Entries = append(out.Entries, result{EventID: identifier(uint64(len(b.events)))})
	}
	return b.encode(out)
}

// size returns an entry's size in bytes, as EventBridge counts it.
func (e eventEntry) size() int {
	size := len(e.Source) + len(e.DetailType) + len(e.Detail)
	for _, resource := range e.Resources {
		size += len(resource)
	}
	if e.Time != nil {
		size += 14
	}
	return size
}

// refuses returns why an entry is refused, as an error code and a message; both are empty if it is accepted.
func (b *eventBridgeService) refuses(e eventEntry) (code, why string) {
	var detail map[string]any
	bus := e.EventBusName
	switch {
	case e.Source == "" || e.DetailType == "" || e.Detail == "":
		return "InvalidArgument", "Source, DetailType and Detail are required."
	case len(e.DetailType) > 128:
		return "InvalidArgument", "DetailType is longer than 128 characters."
	case strings.HasPrefix(e.Source, "aws."):
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	case json.Unmarshal([]byte(e.Detail), &detail) != nil || detail == nil:
		return "MalformedDetail", "Detail is malformed."
	case bus != "" && bus != "default" && bus != "arn:aws:events:"+b.region+":"+b.account+":event-bus/default":
		return "ResourceNotFoundException", "Event bus " + bus + " does not exist."
	}
	return "", ""
}
