package localaws

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
)

// newLogs returns a local AWS with a log group of two streams: "a" with a0, a2, … and "b" with b1, b3, …, a second apart.
func newLogs(t *testing.T) *Server {
	t.Helper()
	clock := &virtualClock{now: noon}
	s := New(Options{Now: clock.Now, Sleep: clock.Sleep})
	for i := range 10 {
		stream := []string{"a", "b"}[i%2]
		check(t, s.AppendLog("/aws/lambda/f", stream, noon.Add(time.Duration(i)*time.Second), fmt.Sprint(stream, i)))
		clock.Sleep(time.Second)
	}
	check(t, s.AppendLog("/aws/vendedlogs/x", "s", noon, "x"))
	return s
}

const logGroupF = "/aws/lambda/f"

func TestLogsAreFiltered(t *testing.T) {
	s := newLogs(t)
	at := func(seconds int) *int64 { return aws.Int64(noon.Add(time.Duration(seconds) * time.Second).UnixMilli()) }
	for transport, cfg := range configurations(t, s) {
		client := cloudwatchlogs.NewFromConfig(cfg)
		for name, test := range map[string]struct {
			change func(*cloudwatchlogs.FilterLogEventsInput)
			want   string
		}{
			"everything":        {func(*cloudwatchlogs.FilterLogEventsInput) {}, "a0 b1 a2 b3 a4 b5 a6 b7 a8 b9"},
			"from and to":       {func(in *cloudwatchlogs.FilterLogEventsInput) { in.StartTime, in.EndTime = at(3), at(5) }, "b3 a4 b5"},
			"one stream":        {func(in *cloudwatchlogs.FilterLogEventsInput) { in.LogStreamNames = []string{"b"} }, "b1 b3 b5 b7 b9"},
			"streams by prefix": {func(in *cloudwatchlogs.FilterLogEventsInput) { in.LogStreamNamePrefix = aws.String("a") }, "a0 a2 a4 a6 a8"},
			"a pattern":         {func(in *cloudwatchlogs.FilterLogEventsInput) { in.FilterPattern = aws.String("?a4 ?b5") }, "a4 b5"},
			"the group's ARN": {func(in *cloudwatchlogs.FilterLogEventsInput) {
				in.LogGroupName, in.LogGroupIdentifier, in.EndTime = nil, aws.String("arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/f"), at(0)
			}, "a0"},
			"nothing of the kind": {func(in *cloudwatchlogs.FilterLogEventsInput) { in.FilterPattern = aws.String("nothing") }, ""},
		} {
			for _, limit := range []int32{1, 3, 10_000} {
				in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(logGroupF), Limit: &limit}
				test.change(in)
				var got []string
				for pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, in); pages.HasMorePages(); {
					page, err := pages.NextPage(t.Context())
					check(t, err)
					if len(page.Events) > int(limit) {
						t.Errorf("%s: %d events on a page of %d", name, len(page.Events), limit)
					}
					for _, e := range page.Events {
						got = append(got, *e.Message)
						if !strings.HasPrefix(*e.Message, *e.LogStreamName) || len(*e.EventId) != 56 || *e.IngestionTime < *e.Timestamp {
							t.Errorf("%s: %+v", name, e)
						}
					}
				}
				if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
					t.Errorf("%s, %s, %d a page: %s", transport, name, limit, diff)
				}
			}
		}
	}
}

func TestLogEventsAreReadInBothDirections(t *testing.T) {
	client := cloudwatchlogs.NewFromConfig(newLogs(t).Config())
	get := func(token *string, head bool) (string, *cloudwatchlogs.GetLogEventsOutput) {
		out, err := client.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String(logGroupF), LogStreamName: aws.String("b"), Limit: aws.Int32(2), NextToken: token, StartFromHead: &head, EndTime: aws.Int64(noon.Add(9 * time.Second).UnixMilli())})
		check(t, err)
		var got []string
		for _, e := range out.Events {
			got = append(got, *e.Message)
		}
		return strings.Join(got, " "), out
	}
	var got []string
	step := func(token *string, head bool) *cloudwatchlogs.GetLogEventsOutput {
		texts, out := get(token, head)
		got = append(got, texts)
		return out
	}
	last := step(nil, false)
	before := step(last.NextBackwardToken, false)
	end := step(before.NextBackwardToken, false)
	step(end.NextForwardToken, false)
	first := step(nil, true)
	next := step(first.NextForwardToken, true)
	none := step(next.NextForwardToken, true)
	step(none.NextBackwardToken, true)
	if diff := cmp.Diff([]string{"b5 b7", "b1 b3", "", "b1 b3", "b1 b3", "b5 b7", "", "b5 b7"}, got); diff != "" {
		t.Error(diff)
	}
	if *none.NextForwardToken != *next.NextForwardToken {
		t.Errorf("at the end, the token changes from %s to %s", *next.NextForwardToken, *none.NextForwardToken)
	}
}

func TestLogGroupsAndStreamsAreDescribed(t *testing.T) {
	client := cloudwatchlogs.NewFromConfig(newLogs(t).Config())
	for want, in := range map[string]*cloudwatchlogs.DescribeLogGroupsInput{
		"[/aws/lambda/f /aws/vendedlogs/x]": {Limit: aws.Int32(1)},
		"[/aws/lambda/f]":                   {LogGroupNamePrefix: aws.String("/aws/la")},
		"[/aws/vendedlogs/x]":               {LogGroupNamePattern: aws.String("vended")},
		"[]":                                {LogGroupNamePrefix: aws.String("vended")},
	} {
		names := []string{}
		for pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			check(t, err)
			for _, g := range page.LogGroups {
				names = append(names, *g.LogGroupName)
				if *g.LogGroupArn+":*" != *g.Arn || g.LogGroupClass != types.LogGroupClassStandard || *g.StoredBytes == 0 {
					t.Errorf("%+v", g)
				}
			}
		}
		if got := fmt.Sprint(names); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for want, in := range map[string]*cloudwatchlogs.DescribeLogStreamsInput{
		"[a 0 8 b 1 9]": {Limit: aws.Int32(1)},
		"[b 1 9 a 0 8]": {OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)},
		"[b 1 9]":       {LogStreamNamePrefix: aws.String("b")},
	} {
		in.LogGroupName = aws.String(logGroupF)
		all := []string{}
		for pages := cloudwatchlogs.NewDescribeLogStreamsPaginator(client, in); pages.HasMorePages(); {
			page, err := pages.NextPage(t.Context())
			check(t, err)
			for _, of := range page.LogStreams {
				all = append(all, fmt.Sprint(*of.LogStreamName, " ", (*of.FirstEventTimestamp-noon.UnixMilli())/1000, " ", (*of.LastEventTimestamp-noon.UnixMilli())/1000))
			}
		}
		if got := fmt.Sprint(all); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestLogsAreRefused(t *testing.T) {
	s := newLogs(t)
	client := cloudwatchlogs.NewFromConfig(s.Config())
	filter := func(in cloudwatchlogs.FilterLogEventsInput) error {
		_, err := client.FilterLogEvents(t.Context(), &in)
		return err
	}
	streams := func(in cloudwatchlogs.DescribeLogStreamsInput) error {
		_, err := client.DescribeLogStreams(t.Context(), &in)
		return err
	}
	group := aws.String(logGroupF)
	for name, test := range map[string]struct {
		err  error
		code string
	}{
		"no such group":            {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("x")}), "ResourceNotFoundException"},
		"no such stream":           {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, LogStreamNames: []string{"c"}}), "ResourceNotFoundException"},
		"no group":                 {filter(cloudwatchlogs.FilterLogEventsInput{}), "InvalidParameterException"},
		"a bad group":              {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("ü")}), "InvalidParameterException"},
		"names and a prefix":       {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, LogStreamNames: []string{"a"}, LogStreamNamePrefix: aws.String("a")}), "InvalidParameterException"},
		"a made-up token":          {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, NextToken: aws.String("x")}), "InvalidParameterException"},
		"no events":                {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, Limit: aws.Int32(0)}), "InvalidParameterException"},
		"a bad pattern":            {filter(cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String("%x%")}), "InvalidParameterException"},
		"a prefix and times":       {streams(cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, LogStreamNamePrefix: aws.String("a"), OrderBy: types.OrderByLastEventTime}), "InvalidParameterException"},
		"another order":            {streams(cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, OrderBy: "Size"}), "InvalidParameterException"},
		"51 streams":               {streams(cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, Limit: aws.Int32(51)}), "InvalidParameterException"},
		"a stream's made-up token": {streams(cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: group, NextToken: aws.String("x")}), "InvalidParameterException"},
	} {
		if code, status := outcome(test.err); code != test.code || status != 400 {
			t.Errorf("%s: %v", name, test.err)
		}
	}
	for _, in := range [][3]string{{"", "s", "m"}, {"a b", "s", "m"}, {"g", "", "m"}, {"g", "a:b", "m"}, {"g", "s", ""}} {
		if s.AppendLog(in[0], in[1], noon, in[2]) == nil {
			t.Errorf("%q is appended", in)
		}
	}
}

// TestLogsAreBounded by count and by size, and the newest stay.
func TestLogsAreBounded(t *testing.T) {
	s := New(Options{})
	for i := range MaxLogEvents + 1500 {
		check(t, s.AppendLog("many", fmt.Sprint("s", i/1000), noon.Add(time.Duration(i)*time.Millisecond), fmt.Sprint(i)))
	}
	many := s.logs.groups["many"]
	if first := many.events[0].message; len(many.events) != MaxLogEvents || first != "1500" || many.streams["s0"] != nil || len(many.streams) != 21 {
		t.Errorf("%d events in %d streams, the first is %s", len(many.events), len(many.streams), first)
	}
	large := strings.Repeat("x", maxLogMessage-1) + "ü"
	for range 20 {
		check(t, s.AppendLog("large", fmt.Sprint("s", len(large)), noon, large))
	}
	g := s.logs.groups["large"]
	if g.bytes > MaxLogBytes || g.bytes < MaxLogBytes-maxLogMessage || len(g.events[0].message) != maxLogMessage-1 {
		t.Errorf("%d bytes in %d events of %d", g.bytes, len(g.events), len(g.events[0].message))
	}
	client := cloudwatchlogs.NewFromConfig(s.Config())
	out, err := client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("large")})
	check(t, err)
	if len(out.Events) != 1 || out.NextToken == nil {
		t.Errorf("%d events of a megabyte on a page, next %v", len(out.Events), out.NextToken)
	}
}

// TestLateLogEventsAreInOrder of their times.
func TestLateLogEventsAreInOrder(t *testing.T) {
	s := New(Options{})
	for _, ms := range []int{5, 1, 3, 1, 9} {
		check(t, s.AppendLog("g", "s", noon.Add(time.Duration(ms)*time.Millisecond), fmt.Sprint(ms)))
	}
	ids := []string{}
	for _, e := range s.logs.groups["g"].events {
		ids = append(ids, e.id())
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 5 {
		t.Errorf("%q", ids)
	}
}
