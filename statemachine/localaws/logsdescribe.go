package localaws

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

func millis(t time.Time) *int64 {
	ms := t.UnixMilli()
	return &ms
}

// cutPage returns the part of a list that begins with the item that a token numbers, and the next token; empty at the end.
func cutPage[T any](all []T, token string, limit int) (part []T, next string, err *apiError) {
	from := 0
	if token != "" {
		n, parseErr := strconv.Atoi(token)
		if parseErr != nil || n < 1 {
			return nil, "", badToken()
		}
		from = min(n, len(all)) // some may have gone meanwhile
	}
	to := min(from+limit, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next, nil
}

// describeLogGroups returns a page of the log groups, in the order of their names.
func (s *logsService) describeLogGroups(r *request) (reply, *apiError) {
	var in struct {
		LogGroupNamePrefix, LogGroupNamePattern, NextToken string
		Limit                                              *int
	}
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	limit, err := limitOf(in.Limit, 50)
	if err != nil {
		return reply{}, err
	}
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		return reply{}, logsInvalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	type group struct {
		LogGroupName      string `json:"logGroupName"`
		ARN               string `json:"arn"`
		LogGroupARN       string `json:"logGroupArn"`
		LogGroupClass     string `json:"logGroupClass"`
		CreationTime      *int64 `json:"creationTime"`
		MetricFilterCount int    `json:"metricFilterCount"`
		StoredBytes       int    `json:"storedBytes"`
	}
	all := []group{}
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		if strings.HasPrefix(name, in.LogGroupNamePrefix) && strings.Contains(name, in.LogGroupNamePattern) {
			g := s.groups[name]
			all = append(all, group{name, s.prefix + name + ":*", s.prefix + name, "STANDARD", millis(g.created), 0, g.bytes})
		}
	}
	var out struct {
		LogGroups []group `json:"logGroups"`
		NextToken string  `json:"nextToken,omitempty"`
	}
	if out.LogGroups, out.NextToken, err = cutPage(all, in.NextToken, limit); err != nil {
		return reply{}, err
	}
	return s.encode(out)
}

// describeLogStreams returns a page of a group's streams, in the order of their names or of their last events.
func (s *logsService) describeLogStreams(r *request) (reply, *apiError) {
	var in struct {
		logGroupRef
		LogStreamNamePrefix, OrderBy, NextToken string
		Descending                              bool
		Limit                                   *int
	}
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	limit, err := limitOf(in.Limit, 50)
	if err != nil {
		return reply{}, err
	}
	byTime := in.OrderBy == "LastEventTime"
	switch {
	case !byTime && in.OrderBy != "" && in.OrderBy != "LogStreamName":
		return reply{}, logsInvalid("1 validation error detected: Value '%s' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]", in.OrderBy)
	case byTime && in.LogStreamNamePrefix != "":
		return reply{}, logsInvalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	g, err := s.find(in.logGroupRef)
	if err != nil {
		return reply{}, err
	}
	type stream struct {
		LogStreamName       string `json:"logStreamName"`
		ARN                 string `json:"arn"`
		CreationTime        *int64 `json:"creationTime"`
		FirstEventTimestamp int64  `json:"firstEventTimestamp"`
		LastEventTimestamp  int64  `json:"lastEventTimestamp"`
		LastIngestionTime   *int64 `json:"lastIngestionTime"`
		UploadSequenceToken string `json:"uploadSequenceToken"`
		StoredBytes         int    `json:"storedBytes"` // 0: AWS reports no other for streams since 2019
	}
	all := []stream{}
	times := g.times()
	for _, name := range slices.Sorted(maps.Keys(g.streams)) {
		if of := g.streams[name]; strings.HasPrefix(name, in.LogStreamNamePrefix) {
			span := times[of]
			all = append(all, stream{name, s.prefix + s.nameOf(in.logGroupRef) + ":log-stream:" + name, millis(of.created),
				span[0], span[1], millis(of.written), eventID(span[1], int64(of.events)), 0})
		}
	}
	if byTime {
		slices.SortStableFunc(all, func(a, b stream) int { return cmp.Compare(a.LastEventTimestamp, b.LastEventTimestamp) })
	}
	if in.Descending {
		slices.Reverse(all)
	}
	var out struct {
		LogStreams []stream `json:"logStreams"`
		NextToken  string   `json:"nextToken,omitempty"`
	}
	if out.LogStreams, out.NextToken, err = cutPage(all, in.NextToken, limit); err != nil {
		return reply{}, err
	}
	return s.encode(out)
}

// times returns the times of each stream's first and last kept event, in milliseconds since 1970.
func (g *logGroup) times() map[*logStream][2]int64 {
	times := map[*logStream][2]int64{}
	for _, e := range g.events {
		span, ok := times[e.stream]
		if !ok {
			span[0] = e.at
		}
		span[1] = e.at
		times[e.stream] = span
	}
	return times
}
