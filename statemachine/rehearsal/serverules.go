package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// addRules adds the template's rules of EventBridge, and has those of the cleanups write
// their metrics.
func (s *ServedAWS) addRules() error {
	source := s.options.Template.source
	var all []*servedCalls
	for _, m := range s.machines() {
		calls := &servedCalls{s: s, machine: m, rules: [2]string{ruleName(m.deployed.ended), ruleName(m.deployed.sweep)}}
		m.calls, m.wrap = calls, s.measured
		all = append(all, calls)
	}
	var problems []error
	for _, id := range source.OfType("AWS::Events::Rule") {
		name, err := source.Name(id)
		if err != nil {
			return err
		}
		properties, err := source.Property(id)
		if err != nil {
			return err
		}
		text, err := json.Marshal(properties)
		if err != nil {
			return err
		}
		var p struct {
			ScheduleExpression, Description, State string
			EventPattern                           json.RawMessage
			Targets                                []struct{ DeadLetterConfig struct{ Arn string } }
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return fmt.Errorf("rule %s: %w", id, err)
		}
		problems = append(problems, s.server.AddRule(localaws.Rule{Name: name, Schedule: p.ScheduleExpression, EventPattern: string(p.EventPattern),
			Description: p.Description, Disabled: p.State == "DISABLED"}))
		for _, calls := range all {
			for occasion, rule := range calls.rules {
				if rule == name && len(p.Targets) > 0 {
					calls.undelivered[occasion] = p.Targets[0].DeadLetterConfig.Arn
				}
			}
		}
	}
	return errors.Join(problems...)
}

// ruleName returns the name in the ARN of a rule of the default event bus.
func ruleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// servedCalls implements [cleanupCalls] with the rules of a state machine of a served AWS. It writes the
// metrics that EventBridge and Lambda have of the calls.
type servedCalls struct {
	s           *ServedAWS
	machine     *machine
	rules       [2]string // names, by occasion
	undelivered [2]string // ARNs of the rules' queues, or ""
}

func (c *servedCalls) enabled(occasion int) bool { return c.s.server.RuleEnabled(c.rules[occasion]) }

func (c *servedCalls) called(occasion int, allowed bool) {
	count := func(metric string) { c.s.count("AWS/Events", metric, "RuleName", c.rules[occasion]) }
	count("TriggeredRules")
	count("Invocations")
	if !allowed {
		count("FailedInvocations")
		c.s.enqueue(c.undelivered[occasion])
	}
}

func (c *servedCalls) dropped(queue string) {
	c.s.count("AWS/Lambda", "AsyncEventsDropped", "FunctionName", arn.Name(functionARN(c.machine.workflow.cleanup)))
	c.s.enqueue(queue)
}

// count adds one to a metric with one dimension.
func (s *ServedAWS) count(namespace, metric, dimension, value string) {
	s.record(s.clock.Now(), namespace, metric, dimension, value, 1)
}

// record records the value of a metric with one dimension, measured at a time.
func (s *ServedAWS) record(at time.Time, namespace, metric, dimension, of string, value float64) {
	err := s.server.RecordMetric(localaws.MetricValues{Namespace: namespace, Name: metric, Dimensions: map[string]string{dimension: of},
		Unit: types.StandardUnitCount, At: at, Values: []float64{value}})
	if err != nil {
		panic(err) // the names are those of resources
	}
}

// measured returns call, which then writes the metrics that Lambda has of invocations of
// the stack's functions.
func (s *ServedAWS) measured(call asl.Invoke) asl.Invoke {
	return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
		start := s.clock.Now()
		answer, err := call(ctx, resource, input)
		took := s.clock.Now().Sub(start)
		served := localaws.Invocations{Function: arn.Name(resource), At: start, Invocations: 1,
			Duration: localaws.DurationStats{Sum: took, Minimum: took, Maximum: took}}
		if failed := (*asl.TaskError)(nil); errors.As(err, &failed) && failed.Name == taskErrors[inactive].Name {
			return answer, err // refused, so that nothing was invoked
		}
		if err != nil {
			served.Errors = 1
		}
		if err := s.server.RecordInvocations(served); err != nil {
			panic(err) // the function exists, and its numbers are possible
		}
		return answer, err
	}
}

// queue is a queue of SQS that nothing receives from: how many messages it has.
type queue struct {
	retention time.Duration
	sent      []time.Time // of the messages, the oldest first
}

// maxQueued is how many messages of a queue are counted.
const maxQueued = 10_000

// addQueues adds the template's queues.
func (s *ServedAWS) addQueues() error {
	source := s.options.Template.source
	s.queues = map[string]*queue{}
	for _, id := range source.OfType("AWS::SQS::Queue") {
		name, err := source.Name(id)
		if err != nil {
			return err
		}
		retention, err := source.Property(id, "MessageRetentionPeriod")
		if err != nil {
			return err
		}
		q := &queue{retention: 4 * 24 * time.Hour}
		if given, ok := retention.(float64); ok {
			q.retention = seconds(given)
		}
		s.queues[name] = q
	}
	return nil
}

// enqueue counts a message for the queue with an ARN; "" is none.
func (s *ServedAWS) enqueue(queue string) {
	if q := s.queues[arn.Name(queue)]; q != nil && len(q.sent) < maxQueued {
		q.sent = append(q.sent, s.clock.Now())
	}
}

// measureQueues writes the metrics that SQS has of queues, once a minute.
func (s *ServedAWS) measureQueues() {
	for name, q := range s.queues {
		for len(q.sent) > 0 && s.clock.Now().Sub(q.sent[0]) >= q.retention {
			q.sent = q.sent[1:]
		}
		s.record(s.clock.Now(), "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name, float64(len(q.sent)))
		s.record(s.clock.Now(), "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", name, 0)
	}
}
