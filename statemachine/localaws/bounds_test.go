package localaws

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// TestWhatGrowsWithTimeIsBounded: what an account keeps of a week does not exceed the bounds, and the newest is kept.
func TestWhatGrowsWithTimeIsBounded(t *testing.T) {
	w := newWorld(t, Options{})
	cfg, ctx := w.Config(), t.Context()
	topics, events, alarms := sns.NewFromConfig(cfg), eventbridge.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	topic := addTopic(t, w.Server, "news")
	check(t, w.AddAlarm("a", false))
	ids := map[string]bool{}
	const many = 12_000 // more than each bound, one a minute of a week
	for i := range many {
		out, err := topics.Publish(ctx, &sns.PublishInput{TopicArn: &topic, Message: aws.String(fmt.Sprint(i))})
		check(t, err)
		ids[*out.MessageId] = true
		_, err = events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
			entry(func(e *ebtypes.PutEventsRequestEntry) { e.DetailType = aws.String(fmt.Sprint(i)) })}})
		check(t, err)
		_, err = alarms.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("a"), StateReason: aws.String("r"),
			StateValue: []types.StateValue{types.StateValueAlarm, types.StateValueOk}[i%2]})
		check(t, err)
		check(t, w.RecordMetric(MetricValues{Namespace: "n", Name: "m", Unit: types.StandardUnitCount, At: w.clock.Now(), Values: []float64{1}}))
		w.clock.Sleep(50 * time.Second)
	}
	if len(ids) != many {
		t.Errorf("%d messages have %d ids", many, len(ids))
	}
	published, put, history := w.Published(), w.Events(), w.Server.cloudwatch.history.items
	for name, n := range map[string]int{"messages": len(published), "events": len(put), "history items": len(history)} {
		if n < 9_000 || n > 10_000 {
			t.Errorf("%d %s are kept", n, name)
		}
	}
	last := fmt.Sprint(many - 1)
	if published[len(published)-1].Message != last || put[len(put)-1].DetailType != last || history[len(history)-1].number != many {
		t.Error("the newest is not kept")
	}
	of := w.Server.cloudwatch.metrics.byKey["n\x00m"]
	of.settle(w.clock.Now())
	of.addAll(w.clock.Now().Unix())
	if n := len(of.tiers[0].points); n > 15*24*60+1 || len(of.waiting()) > 0 {
		t.Errorf("%d minutes are kept, and %d values wait", n, len(of.waiting()))
	}
}
