package localaws

import (
	"cmp"
	"slices"
	"strings"
)

// maxLogPage is the size of a page of events, in bytes of messages.
const maxLogPage = 1 << 20

// limitOf returns a page's size.
func limitOf(given *int, most int) (int, *apiError) {
	switch {
	case given == nil:
		return most, nil
	case *given < 1:
		return 0, logsInvalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", *given)
	case *given > most:
		return 0, logsInvalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", *given, most)
	}
	return *given, nil
}

// badToken returns the error for a token that no answer had.
func badToken() *apiError { return logsInvalid("The specified nextToken is invalid.") }

// filterLogEvents returns a page of a group's events that match a pattern, the oldest first. Both ends of the time range
// belong to it. A page ends with its limit, or where its messages would exceed a megabyte; the next token is the id of the
// next event.
func (s *logsService) filterLogEvents(r *request) (reply, *apiError) {
	var in struct {
		logGroupRef
		LogStreamNames                                []string
		LogStreamNamePrefix, FilterPattern, NextToken string
		StartTime, EndTime                            *int64
		Limit                                         *int
	}
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	limit, err := limitOf(in.Limit, 10_000)
	if err != nil {
		return reply{}, err
	}
	g, err := s.find(in.logGroupRef)
	switch {
	case err != nil:
		return reply{}, err
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "":
		return reply{}, logsInvalid("Specifying both logStreamNames and logStreamNamePrefix is not allowed.")
	case in.NextToken != "" && len(in.NextToken) != len(eventID(0, 0)):
		return reply{}, badToken()
	}
	for _, name := range in.LogStreamNames {
		if g.streams[name] == nil {
			return reply{}, badRequest("ResourceNotFoundException", "The specified log stream does not exist.")
		}
	}
	matches, err := parseLogPattern(in.FilterPattern)
	if err != nil {
		return reply{}, err
	}
	type event struct {
		LogStreamName string `json:"logStreamName"`
		Timestamp     int64  `json:"timestamp"`
		Message       string `json:"message"`
		IngestionTime int64  `json:"ingestionTime"`
		EventID       string `json:"eventId"`
	}
	out := struct {
		Events             []event    `json:"events"`
		SearchedLogStreams []struct{} `json:"searchedLogStreams"` // AWS has left it empty since 2019
		NextToken          string     `json:"nextToken,omitempty"`
	}{Events: []event{}, SearchedLogStreams: []struct{}{}}
	size := 0
	for _, e := range g.events {
		switch {
		case in.StartTime != nil && e.at < *in.StartTime, in.EndTime != nil && e.at > *in.EndTime,
			len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, e.stream.name), !strings.HasPrefix(e.stream.name, in.LogStreamNamePrefix),
			in.NextToken != "" && e.id() < in.NextToken, !matches(e.message):
			continue
		}
		if size += len(e.message); len(out.Events) == limit || len(out.Events) > 0 && size > maxLogPage {
			out.NextToken = e.id()
			break
		}
		out.Events = append(out.Events, event{e.stream.name, e.at, e.message, e.written, e.id()})
	}
	return s.encode(out)
}

// getLogEvents returns a page of one stream's events, the oldest first. The end of the time range does not belong to it. The
// token f/ID stands for the events from that id on, and b/ID for those before it. The forward token stays the same when
// there are no later events, as on AWS.
func (s *logsService) getLogEvents(r *request) (reply, *apiError) {
	var in struct {
		logGroupRef
		LogStreamName, NextToken string
		StartTime, EndTime       *int64
		StartFromHead            bool
		Limit                    *int
	}
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	limit, err := limitOf(in.Limit, 10_000)
	if err != nil {
		return reply{}, err
	}
	g, err := s.find(in.logGroupRef)
	if err != nil {
		return reply{}, err
	}
	of := g.streams[in.LogStreamName]
	if of == nil {
		return reply{}, badRequest("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	direction, id, _ := strings.Cut(in.NextToken, "/")
	if in.NextToken != "" && (direction != "f" && direction != "b" || len(id) != len(eventID(0, 0))) {
		return reply{}, badToken()
	}
	var all []logEvent
	for _, e := range g.events {
		if e.stream == of && (in.StartTime == nil || e.at >= *in.StartTime) && (in.EndTime == nil || e.at < *in.EndTime) &&
			(direction != "f" || e.id() >= id) && (direction != "b" || e.id() < id) {
			all = append(all, e)
		}
	}
	part := firstPage(all, limit)
	if direction == "b" || direction == "" && !in.StartFromHead {
		part = lastPage(all, limit)
	}
	type event struct {
		Timestamp     int64  `json:"timestamp"`
		Message       string `json:"message"`
		IngestionTime int64  `json:"ingestionTime"`
	}
	out := struct {
		Events            []event `json:"events"`
		NextForwardToken  string  `json:"nextForwardToken"`
		NextBackwardToken string  `json:"nextBackwardToken"`
	}{Events: []event{}}
	id = cmp.Or(id, eventID(0, 0))
	out.NextForwardToken, out.NextBackwardToken = "f/"+id, "b/"+id
	for i, e := range part {
		if i == 0 {
			out.NextBackwardToken = "b/" + e.id()
		}
		out.NextForwardToken = "f/" + eventID(e.at, e.number+1)
		out.Events = append(out.Events, event{e.at, e.message, e.written})
	}
	return s.encode(out)
}

// firstPage returns the first events that one page can hold.
func firstPage(all []logEvent, limit int) []logEvent {
	size := 0
	for i, e := range all {
		if size += len(e.message); i == limit || i > 0 && size > maxLogPage {
			return all[:i]
		}
	}
	return all
}

// lastPage returns the last events that one page can hold.
func lastPage(all []logEvent, limit int) []logEvent {
	size := 0
	for i := range all {
		at := len(all) - 1 - i
		if size += len(all[at].message); i == limit || i > 0 && size > maxLogPage {
			return all[at+1:]
		}
	}
	return all
}
