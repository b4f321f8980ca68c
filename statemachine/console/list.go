package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// listed is how many executions a page lists.
const listed = 50

// statuses are those by which the list is filtered, with their words.
var statuses = []struct{ Value, Words, Sign string }{
	{"", "all", ""}, {"RUNNING", "running", "▶"}, {"SUCCEEDED", "succeeded", "✓"}, {"FAILED", "failed", "✕"}, {"TIMED_OUT", "timed out", "⏱"}, {"ABORTED", "stopped", "■"},
}

// badge presents a status in words, with a sign.
type badge struct{ Status, Words, Sign string }

func badgeOf(status string) badge {
	for _, s := range statuses {
		if s.Value == status && status != "" {
			return badge{status, s.Words, s.Sign}
		}
	}
	return badge{status, status, "?"}
}

// listPage is the content of a list.
type listPage struct {
	Kind         *kind
	StateMachine string
	Filters      []filter
	Filtered     string // the status, or ""
	Rows         []row
	Next         string // the token of the next page
	Alarms       alarms
}

type filter struct {
	Value, Words string
	Current      bool
}

// row is an execution in the list.
type row struct {
	Name     string
	Badge    badge
	Started  time.Time
	Stopped  time.Time // zero while it runs
	Took     string
	Redrives int32
}

// list answers with the executions of a kind by status.
func (c *console) list(r *http.Request, k *kind) (*page, error) {
	query := r.URL.Query()
	data := listPage{Kind: k, StateMachine: k.machine, Filtered: query.Get("status")}
	for _, s := range statuses {
		data.Filters = append(data.Filters, filter{s.Value, s.Words, s.Value == data.Filtered})
	}
	in := &sfn.ListExecutionsInput{StateMachineArn: &k.machine, MaxResults: listed, StatusFilter: types.ExecutionStatus(data.Filtered)}
	if next := query.Get("next"); next != "" {
		in.NextToken = &next
	}
	out, err := c.executions.ListExecutions(r.Context(), in)
	if err != nil {
		return nil, err
	}
	data.Next = aws.ToString(out.NextToken)
	for _, e := range out.Executions {
		data.Rows = append(data.Rows, row{
			Name: aws.ToString(e.Name), Badge: badgeOf(string(e.Status)), Started: aws.ToTime(e.StartDate), Stopped: aws.ToTime(e.StopDate),
			Took: took(aws.ToTime(e.StartDate), aws.ToTime(e.StopDate), c.Now()), Redrives: aws.ToInt32(e.RedriveCount),
		})
	}
	data.Alarms = c.alarms(r.Context())
	return &page{name: "list", Title: k.Title, Every: 2, Data: data}, nil
}

// took returns how long something lasted, up to now if it has not ended.
func took(from, to, now time.Time) string {
	if to.IsZero() {
		to = now
	}
	if to.Before(from) {
		return "–"
	}
	seconds := int64(to.Sub(from).Round(time.Second) / time.Second)
	var parts []string
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"d", 24 * 60 * 60}, {"h", 60 * 60}, {"min", 60}, {"s", 1}} {
		if n := seconds / unit.seconds; n > 0 || unit.name == "s" && len(parts) == 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
		}
		seconds %= unit.seconds
	}
	return strings.Join(parts, " ")
}

// alarms are CloudWatch's, or why they can't be shown.
type alarms struct {
	Rows  []alarmRow // those that are not OK
	OK    []alarmRow
	More  bool
	Error string
}

// alarmRow is an alarm. Sign repeats what the state says.
type alarmRow struct {
	Name, State, Sign, Reason string
	Updated                   time.Time
}

// alarms returns at most a hundred alarms, first those in ALARM.
func (c *console) alarms(ctx context.Context) alarms {
	out, err := c.metrics.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
		AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm, cwtypes.AlarmTypeCompositeAlarm}, MaxRecords: aws.Int32(100),
	})
	if err != nil {
		return alarms{Error: words(err)}
	}
	all := alarms{More: out.NextToken != nil}
	add := func(name *string, state cwtypes.StateValue, reason *string, at *time.Time) {
		sign := map[cwtypes.StateValue]string{cwtypes.StateValueAlarm: "▲", cwtypes.StateValueOk: "✓"}[state]
		into := &all.Rows
		if state == cwtypes.StateValueOk {
			into = &all.OK
		}
		*into = append(*into, alarmRow{aws.ToString(name), string(state), sign, aws.ToString(reason), aws.ToTime(at)})
	}
	for _, a := range out.MetricAlarms {
		add(a.AlarmName, a.StateValue, a.StateReason, a.StateUpdatedTimestamp)
	}
	for _, a := range out.CompositeAlarms {
		add(a.AlarmName, a.StateValue, a.StateReason, a.StateUpdatedTimestamp)
	}
	slices.SortStableFunc(all.Rows, func(a, b alarmRow) int { return strings.Compare(a.State, b.State) }) // ALARM before INSUFFICIENT_DATA
	return all
}
