package localaws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// The most that a log group keeps. [Server.AppendLog] drops the oldest events for new ones.
const (
	MaxLogEvents = 20_000
	MaxLogBytes  = 8 << 20 // of messages
)

// maxLogMessage is the size of the largest log event, in bytes.
const maxLogMessage = 1 << 20

// logsService implements the reading half of Amazon CloudWatch Logs. Other code writes: see [Server.AppendLog].
type logsService struct {
	awsJSON
	now    func() time.Time
	prefix string // of the ARNs of log groups

	mu       sync.Mutex // guards what follows
	groups   map[string]*logGroup
	filters  map[string][]metricFilter // by the name of their group
	appended int64                     // events, of all groups
}

// logGroup is a log group with its kept events.
type logGroup struct {
	created time.Time
	events  []logEvent // by time and number
	bytes   int        // of the kept messages
	streams map[string]*logStream
}

// logStream is a log stream. It exists as long as one of its events is kept.
type logStream struct {
	name    string
	created time.Time
	written time.Time // the last time of an append
	events  int       // kept ones
}

// logEvent is a log event. Its number orders events of the same time.
type logEvent struct {
	at, written int64 // in milliseconds since 1970
	number      int64
	stream      *logStream
	message     string
}

func newLogsService(o Options) *logsService {
	return &logsService{
		awsJSON: awsJSON{target: "Logs_20140328.", fault: "ServiceUnavailableException",
			known: []string{"DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents"}},
		now:    o.Now,
		prefix: "arn:aws:logs:" + o.Region + ":" + o.Account + ":log-group:",
		groups: map[string]*logGroup{}, filters: map[string][]metricFilter{},
	}
}

var (
	logGroupName  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	logStreamName = regexp.MustCompile(`^[^:*]{1,512}$`)
)

// AddLogGroup adds an empty log group, without a call; none if it exists. It returns an error for a name that CloudWatch Logs does
// not accept.
func (s *Server) AddLogGroup(name string) error {
	if !logGroupName.MatchString(name) {
		return fmt.Errorf("add log group: %q is not a valid name", name)
	}
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.logs.group(name)
	return nil
}

// group returns the log group of that name, which it creates if there is none. l.mu is held.
func (l *logsService) group(name string) *logGroup {
	g := l.groups[name]
	if g == nil {
		g = &logGroup{created: l.now(), streams: map[string]*logStream{}}
		l.groups[name] = g
	}
	return g
}

// AppendLog adds an event to a log stream, without a call. The group and the stream come into being with their first event.
// The event has the time at, in milliseconds, which may be before that of earlier ones.
//
// A group keeps the [MaxLogEvents] latest events with at most [MaxLogBytes] of messages; a stream of which no event is left
// is gone. A message longer than 1 MiB is cut. A message in CloudWatch's embedded metric format, and one that a metric filter
// matches, also records metrics. AppendLog returns an error for a name that CloudWatch Logs does not accept, and for an empty
// message.
func (s *Server) AppendLog(group, stream string, at time.Time, message string) error {
	switch {
	case !logGroupName.MatchString(group):
		return fmt.Errorf("append log: %q is not a valid name of a log group", group)
	case !logStreamName.MatchString(stream):
		return fmt.Errorf("append log: %q is not a valid name of a log stream", stream)
	case message == "":
		return fmt.Errorf("append log: empty message for log group %q", group)
	}
	if len(message) > maxLogMessage {
		end := maxLogMessage
		for !utf8.RuneStart(message[end]) {
			end--
		}
		message = message[:end]
	}
	l := s.logs
	l.append(group, stream, at, message)
	l.mu.Lock()
	filters := l.filters[group]
	l.mu.Unlock()
	s.measure(filters, at, message)
	return nil
}

// append adds an event to a log stream.
func (l *logsService) append(group, stream string, at time.Time, message string) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.group(group)
	l.appended++
	g.add(stream, logEvent{at: at.UnixMilli(), written: now.UnixMilli(), number: l.appended, message: message}, now)
}

// add adds an event in the order of time, and drops the oldest ones beyond the bounds.
func (g *logGroup) add(stream string, e logEvent, now time.Time) {
	of := g.streams[stream]
	if of == nil {
		of = &logStream{name: stream, created: now}
		g.streams[stream] = of
	}
	of.events++
	of.written = now
	e.stream = of
	i := len(g.events)
	for i > 0 && g.events[i-1].at > e.at {
		i--
	}
	g.events = slices.Insert(g.events, i, e)
	g.bytes += len(e.message)
	dropped := 0
	for len(g.events)-dropped > MaxLogEvents || g.bytes > MaxLogBytes {
		first := &g.events[dropped]
		g.bytes -= len(first.message)
		if first.stream.events--; first.stream.events == 0 {
			delete(g.streams, first.stream.name)
		}
		*first = logEvent{} // the array keeps nothing alive
		dropped++
	}
	g.events = g.events[dropped:]
}

// id returns an event's id, 56 digits. The ids of a group's events are in the order of the events.
func (e logEvent) id() string { return eventID(e.at, e.number) }

func eventID(at, number int64) string { return fmt.Sprintf("%019d%037d", max(at, 0), number) }

func (s *logsService) handle(operation string, r *request) (reply, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch operation {
	case "DescribeLogGroups":
		return s.describeLogGroups(r)
	case "DescribeLogStreams":
		return s.describeLogStreams(r)
	case "FilterLogEvents":
		return s.filterLogEvents(r)
	case "GetLogEvents":
		return s.getLogEvents(r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// needs implements service. The operations are authorized on the log group, or on all of them for DescribeLogGroups.
func (s *logsService) needs(operation string, r *request) ([]need, *apiError) {
	var in logGroupRef
	if err := s.decode(r, &in); err != nil {
		return nil, err
	}
	name := s.nameOf(in)
	if operation == "DescribeLogGroups" {
		name = ""
	}
	return []need{{"logs:" + operation, s.prefix + name + ":*", false}}, nil
}

// logGroupRef names a log group: by its name, or by its name or ARN.
type logGroupRef struct{ LogGroupName, LogGroupIdentifier string }

func (s *logsService) nameOf(ref logGroupRef) string {
	if ref.LogGroupName != "" {
		return ref.LogGroupName
	}
	return strings.TrimSuffix(strings.TrimPrefix(ref.LogGroupIdentifier, s.prefix), ":*")
}

// find returns the log group that a request names. s.mu is held.
func (s *logsService) find(ref logGroupRef) (*logGroup, *apiError) {
	name := s.nameOf(ref)
	switch {
	case name == "":
		return nil, logsInvalid("1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null")
	case !logGroupName.MatchString(name):
		return nil, logsInvalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", name)
	case ref.LogGroupName != "" && ref.LogGroupIdentifier != "":
		return nil, logsInvalid("Only one of logGroupName and logGroupIdentifier can be specified.")
	}
	if g := s.groups[name]; g != nil {
		return g, nil
	}
	return nil, badRequest("ResourceNotFoundException", "The specified log group does not exist.")
}

// logsInvalid returns the service's error for input that it refuses.
func logsInvalid(format string, args ...any) *apiError {
	return badRequest("InvalidParameterException", format, args...)
}
