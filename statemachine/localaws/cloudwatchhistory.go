package localaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// Bounds of alarms' history: for how long CloudWatch keeps it, and how many items the local AWS keeps of all alarms together.
const (
	historyKeptFor = 30 * 24 * time.Hour
	mostHistory    = 10_000
)

// alarmHistory is what happened to alarms, the oldest first.
type alarmHistory struct {
	items []historyItem
	last  int64 // the number of the newest item
}

// historyItem is something that happened to an alarm. Because few are ever read, the data of a change of state is made then.
type historyItem struct {
	number    int64
	at        time.Time
	alarm     string
	alarmType types.AlarmType
	kind      types.HistoryItemType
	summary   string
	data      string // as JSON; empty for a change of state

	from    *alarm // as it was before the state changed
	to      *string
	toState types.StateValue
	toData  *string
}

// add adds an item, and drops items that are too old or too many.
func (h *alarmHistory) add(item historyItem) {
	h.last++
	item.number = h.last
	h.items = append(h.items, item)
	drop := 0
	for drop < len(h.items) && item.at.Sub(h.items[drop].at) > historyKeptFor {
		drop++
	}
	if len(h.items)-drop > mostHistory {
		drop = len(h.items) - mostHistory*9/10
	}
	h.items = slices.Delete(h.items, 0, drop)
}

// wire returns the item as the API does.
func (h historyItem) wire() types.AlarmHistoryItem {
	data := h.data
	if h.from != nil {
		data = stateData(h)
	}
	return types.AlarmHistoryItem{AlarmName: &h.alarm, AlarmType: h.alarmType, Timestamp: &h.at, HistoryItemType: h.kind, HistorySummary: &h.summary, HistoryData: &data}
}

// stateData returns the HistoryData of a change of state.
func stateData(h historyItem) string {
	type state struct {
		Value  types.StateValue `json:"stateValue"`
		Reason string           `json:"stateReason"`
		Data   json.RawMessage  `json:"stateReasonData,omitempty"`
	}
	raw := func(data *string) json.RawMessage {
		if data == nil || *data == "" {
			return nil
		}
		return json.RawMessage(*data)
	}
	body, err := json.Marshal(struct {
		Version string `json:"version"`
		Old     state  `json:"oldState"`
		New     state  `json:"newState"`
	}{"1.0", state{h.from.state, h.from.reason, raw(h.from.reasonData)}, state{h.toState, aws.ToString(h.to), raw(h.toData)}})
	if err != nil {
		panic(err) // reasons' data are valid JSON
	}
	return string(body)
}

// describeAlarmHistory returns what happened to alarms, the newest first unless the request asks otherwise. A page has 100 items
// unless MaxRecords is given. A NextToken stays valid when items are added or dropped.
func (c *cloudWatchService) describeAlarmHistory(in *cloudwatch.DescribeAlarmHistoryInput) (smithy.Serializable, *apiError) {
	switch {
	case in.MaxRecords != nil && (*in.MaxRecords < 1 || *in.MaxRecords > 100):
		return nil, badRequest("ValidationError", "The value %d for parameter MaxRecords must be between 1 and 100.", *in.MaxRecords)
	case in.HistoryItemType != "" && !slices.Contains(in.HistoryItemType.Values(), in.HistoryItemType):
		return nil, badRequest("ValidationError", "The value %s for parameter HistoryItemType is not supported.", in.HistoryItemType)
	case in.ScanBy != "" && !slices.Contains(in.ScanBy.Values(), in.ScanBy):
		return nil, badRequest("ValidationError", "The value %s for parameter ScanBy is not supported.", in.ScanBy)
	case in.AlarmContributorId != nil:
		return nil, badRequest("ValidationError", "AlarmContributorId is not supported by the local AWS.")
	}
	if err := checkAlarmTypes(in.AlarmTypes); err != nil {
		return nil, err
	}
	size := 100
	if in.MaxRecords != nil {
		size = int(*in.MaxRecords)
	}
	ascending := in.ScanBy == types.ScanByTimestampAscending
	next, err := historyToken(in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []types.AlarmHistoryItem{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	items := slices.Clone(c.history.items)
	if !ascending {
		slices.Reverse(items)
	}
	for _, h := range items {
		if next > 0 && (h.number < next) == ascending && h.number != next || !h.matches(in) {
			continue
		}
		if len(out.AlarmHistoryItems) == size {
			out.NextToken = aws.String(tokenOf(fmt.Sprint(h.number)))
			break
		}
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, h.wire())
	}
	return out, nil
}

// historyToken returns the number of the item at which a page begins; 0 without a token.
func historyToken(token *string) (int64, *apiError) {
	if token == nil {
		return 0, nil
	}
	name, refused := nameOf(*token)
	number, err := strconv.ParseInt(name, 10, 64)
	if refused != nil || err != nil || number < 1 {
		return 0, unknownToken(*token)
	}
	return number, nil
}

// matches reports whether the request is for the item.
func (h historyItem) matches(in *cloudwatch.DescribeAlarmHistoryInput) bool {
	kind := alarm{kind: h.alarmType}
	return (in.AlarmName == nil || *in.AlarmName == h.alarm) &&
		(in.HistoryItemType == "" || in.HistoryItemType == h.kind) &&
		kind.isOfType(in.AlarmTypes) &&
		(in.StartDate == nil || !h.at.Before(*in.StartDate)) && (in.EndDate == nil || !h.at.After(*in.EndDate))
}
