package localaws

import (
	"encoding/json"
	"fmt"
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

// eventBridgeService implements Amazon EventBridge's default event bus, whose rules are only listed: nothing runs them.
type eventBridgeService struct {
	awsJSON
	now             func() time.Time
	region, account string

	mu     sync.Mutex // guards what follows
	rules  []Rule     // by name
	events []Event
	put    uint64 // the number of accepted events
}

func newEventBridgeService(o Options) *eventBridgeService {
	return &eventBridgeService{
		awsJSON: awsJSON{target: "AWSEvents.", fault: "InternalException", known: []string{"PutEvents", "ListRules", "DescribeRule", "EnableRule", "DisableRule", "ListEventBuses"}},
		now:     o.Now, region: o.Region, account: o.Account,
	}
}

// MaxEvents is how many events the default event bus keeps. New ones replace the oldest.
const MaxEvents = 10_000

// Events returns the events that the default event bus received, the oldest first: the latest [MaxEvents] at most.
func (s *Server) Events() []Event {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return slices.Clone(s.events.events)
}

func (b *eventBridgeService) handle(operation string, r *request) (reply, *apiError) {
	switch operation {
	case "PutEvents":
		return b.putEvents(r)
	case "ListRules":
		return b.listRules(r)
	case "DescribeRule":
		return b.describeRule(r)
	case "EnableRule", "DisableRule":
		return b.enableRule(r, operation == "EnableRule")
	case "ListEventBuses":
		return b.listEventBuses(r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// busARN returns the ARN of the default event bus.
func (b *eventBridgeService) busARN() string {
	return "arn:aws:events:" + b.region + ":" + b.account + ":event-bus/default"
}

// isDefault reports whether a name or an ARN, which may be empty, is the default event bus's.
func (b *eventBridgeService) isDefault(bus string) bool {
	return bus == "" || bus == "default" || bus == b.busARN()
}

// listEventBuses returns the only event bus.
func (b *eventBridgeService) listEventBuses(r *request) (reply, *apiError) {
	var in struct{ NamePrefix string }
	if err := b.decode(r, &in); err != nil {
		return reply{}, err
	}
	type bus struct{ Name, Arn string }
	out := struct{ EventBuses []bus }{[]bus{}}
	if strings.HasPrefix("default", in.NamePrefix) {
		out.EventBuses = append(out.EventBuses, bus{"default", b.busARN()})
	}
	return b.encode(out)
}

// eventEntry is an entry of PutEvents.
type eventEntry struct {
	Source, DetailType, Detail, EventBusName string
	Resources                                []string
	Time                                     *float64 // in seconds since 1970
}

// putEvents accepts the valid entries and refuses the others. The answer has a result for each entry. An event for a bus that
// does not exist is accepted, and vanishes, as recorded on AWS, 8 January 2025.
func (b *eventBridgeService) putEvents(r *request) (reply, *apiError) {
	var in struct {
		Entries    []eventEntry
		EndpointID *string `json:"EndpointId"`
	}
	if err := b.decode(r, &in); err != nil {
		return reply{}, err
	}
	if in.EndpointID != nil {
		return reply{}, badRequest("ValidationException", "EndpointId is not supported by the local AWS.")
	}
	var out struct {
		FailedEntryCount int
		Entries          []eventResult
	}
	var err *apiError
	if out.Entries, out.FailedEntryCount, err = b.accept(in.Entries); err != nil {
		return reply{}, err
	}
	return b.encode(out)
}

// eventResult is the result of an entry.
type eventResult struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

// accept implements putEvents, and returns how many entries it refuses.
func (b *eventBridgeService) accept(entries []eventEntry) (results []eventResult, failed int, err *apiError) {
	size := 0
	for i := range entries {
		size += entries[i].size()
	}
	switch n := len(entries); {
	case n < 1 || n > 10:
		return nil, 0, invalid(n, "entries", "Member must have length less than or equal to 10 and greater than or equal to 1")
	case size > 1<<20:
		return nil, 0, badRequest("ValidationException", "Total size of the entries in the request is over the limit.")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, entry := range entries {
		if code, why := b.refuses(entry); code != "" {
			failed++
			results = append(results, eventResult{ErrorCode: code, ErrorMessage: why})
			continue
		}
		event := Event{Source: entry.Source, DetailType: entry.DetailType, Detail: json.RawMessage(entry.Detail), Resources: entry.Resources, Time: b.now()}
		if entry.Time != nil {
			event.Time = time.UnixMilli(int64(*entry.Time * 1000)).UTC()
		}
		if b.isDefault(entry.EventBusName) {
			b.events = append(keptLatest(b.events, MaxEvents), event)
		}
		b.put++
		results = append(results, eventResult{EventID: identifier(b.put)})
	}
	return results, failed, nil
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
	for _, required := range []struct{ name, value string }{{"Source", e.Source}, {"DetailType", e.DetailType}, {"Detail", e.Detail}} {
		if required.value == "" {
			return "InvalidArgument", fmt.Sprintf("Parameter %[1]s is not valid. Reason: %[1]s is a required argument.", required.name)
		}
	}
	var detail map[string]any
	switch {
	case len(e.DetailType) > 128:
		return "InvalidArgument", "DetailType is longer than 128 characters."
	case strings.HasPrefix(e.Source, "aws."):
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	case json.Unmarshal([]byte(e.Detail), &detail) != nil || detail == nil:
		return "MalformedDetail", "Detail is malformed."
	}
	return "", ""
}
