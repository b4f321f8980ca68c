package localaws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// alarm is a metric, composite or log alarm. Nothing evaluates it: its states are those that were set last.
type alarm struct {
	name       string
	kind       types.AlarmType
	state      types.StateValue
	reason     string
	reasonData *string
	evaluation types.EvaluationState // empty if it is evaluated completely
	created    time.Time
	updated    time.Time // when one of its states was last set
	changed    time.Time // when its state last became a different one
}

// set sets the alarm's state at the instant now.
func (a *alarm) set(state types.StateValue, reason string, data *string, now time.Time) {
	if a.state != state {
		a.changed = now
	}
	a.state, a.reason, a.reasonData, a.updated = state, reason, data, now
}

// describeAlarmsInput is the SDK's input with a method to read it.
type describeAlarmsInput struct{ cloudwatch.DescribeAlarmsInput }

// Deserialize implements [smithy.Deserializable].
func (in *describeAlarmsInput) Deserialize(d smithy.ShapeDeserializer) error {
	return smithy.ReadStruct(d, schemas.DescribeAlarmsInput, func(member *smithy.Schema) error {
		switch member {
		case schemas.DescribeAlarmsInput_AlarmNames:
			return readStrings(d, member, &in.AlarmNames)
		case schemas.DescribeAlarmsInput_AlarmTypes:
			return readStrings(d, member, &in.AlarmTypes)
		case schemas.DescribeAlarmsInput_StateValue:
			return d.ReadString(member, (*string)(&in.StateValue))
		case schemas.DescribeAlarmsInput_MaxRecords:
			in.MaxRecords = new(int32)
			return d.ReadInt32(member, in.MaxRecords)
		case schemas.DescribeAlarmsInput_NextToken:
			return readString(d, member, &in.NextToken)
		case schemas.DescribeAlarmsInput_AlarmNamePrefix:
			return readString(d, member, &in.AlarmNamePrefix)
		case schemas.DescribeAlarmsInput_ActionPrefix:
			return readString(d, member, &in.ActionPrefix)
		case schemas.DescribeAlarmsInput_ChildrenOfAlarmName:
			return readString(d, member, &in.ChildrenOfAlarmName)
		case schemas.DescribeAlarmsInput_ParentsOfAlarmName:
			return readString(d, member, &in.ParentsOfAlarmName)
		}
		return nil
	})
}

// setAlarmStateInput is the SDK's input with a method to read it.
type setAlarmStateInput struct{ cloudwatch.SetAlarmStateInput }

// Deserialize implements [smithy.Deserializable].
func (in *setAlarmStateInput) Deserialize(d smithy.ShapeDeserializer) error {
	return smithy.ReadStruct(d, schemas.SetAlarmStateInput, func(member *smithy.Schema) error {
		switch member {
		case schemas.SetAlarmStateInput_AlarmName:
			return readString(d, member, &in.AlarmName)
		case schemas.SetAlarmStateInput_StateValue:
			return d.ReadString(member, (*string)(&in.StateValue))
		case schemas.SetAlarmStateInput_StateReason:
			return readString(d, member, &in.StateReason)
		case schemas.SetAlarmStateInput_StateReasonData:
			return readString(d, member, &in.StateReasonData)
		}
		return nil
	})
}

// readString reads an optional string.
func readString(d smithy.ShapeDeserializer, member *smithy.Schema, to **string) error {
	*to = new(string)
	return d.ReadString(member, *to)
}

// readStrings reads a list of strings.
func readStrings[T ~string](d smithy.ShapeDeserializer, list *smithy.Schema, to *[]T) error {
	*to = []T{}
	return smithy.ReadList(d, list, func() error {
		var text string
		err := d.ReadString(list.ListMember(), &text)
		*to = append(*to, T(text))
		return err
	})
}

// describeAlarms returns alarms sorted by name, only metric alarms unless the request has AlarmTypes. It omits alarms that
// do not exist. A page has 50 alarms unless MaxRecords is given, even if more names are given.
func (c *cloudWatchService) describeAlarms(r *request) (reply, *apiError) {
	var in describeAlarmsInput
	if err := c.decode(r, schemas.DescribeAlarmsInput, &in); err != nil {
		return reply{}, err
	}
	if err := checkDescribeAlarms(&in); err != nil {
		return reply{}, err
	}
	left := 50
	if in.MaxRecords != nil {
		left = int(*in.MaxRecords)
	}
	var out cloudwatch.DescribeAlarmsOutput
	c.mu.Lock()
	defer c.mu.Unlock()
	first, err := c.tokenAlarm(in.NextToken)
	if err != nil {
		return reply{}, err
	}
	for _, a := range c.alarms[first:] {
		if !in.wants(a) {
			continue
		}
		if left == 0 {
			out.NextToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(a.name)))
			break
		}
		left--
		c.describe(a, &out)
	}
	return c.encode(schemas.DescribeAlarmsOutput, &out)
}

// checkDescribeAlarms returns an error for input that CloudWatch refuses or that is not supported.
func checkDescribeAlarms(in *describeAlarmsInput) *apiError {
	switch {
	case len(in.AlarmNames) > 100:
		return badRequest("ValidationError", "The collection AlarmNames must not have a size greater than 100.")
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil:
		return badRequest("ValidationError", "AlarmNames and AlarmNamePrefix must not both be given.")
	case in.ActionPrefix != nil || in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil:
		return badRequest("ValidationError", "ActionPrefix, ChildrenOfAlarmName and ParentsOfAlarmName are not supported by the local AWS.")
	case in.MaxRecords != nil && (*in.MaxRecords < 1 || *in.MaxRecords > 100):
		return badRequest("ValidationError", "The value %d for parameter MaxRecords must be between 1 and 100.", *in.MaxRecords)
	case in.StateValue != "" && !slices.Contains(in.StateValue.Values(), in.StateValue):
		return badRequest("ValidationError", "The value %s for parameter StateValue is not supported.", in.StateValue)
	}
	for _, kind := range in.AlarmTypes {
		if !slices.Contains(kind.Values(), kind) {
			return badRequest("ValidationError", "The value %s for parameter AlarmTypes is not supported.", kind)
		}
	}
	return nil
}

// wants reports whether the alarm matches the request.
func (in *describeAlarmsInput) wants(a *alarm) bool {
	return (slices.Contains(in.AlarmTypes, a.kind) || len(in.AlarmTypes) == 0 && a.kind == types.AlarmTypeMetricAlarm) &&
		(len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, a.name)) &&
		strings.HasPrefix(a.name, aws.ToString(in.AlarmNamePrefix)) &&
		(in.StateValue == "" || in.StateValue == a.state)
}

// tokenAlarm returns the index of the alarm at which a NextToken continues; 0 without a token. c.mu is held.
func (c *cloudWatchService) tokenAlarm(token *string) (int, *apiError) {
	if token == nil {
		return 0, nil
	}
	name, err := base64.RawURLEncoding.DecodeString(*token)
	i, ok := c.searchAlarm(string(name))
	if err != nil || !ok {
		return 0, badRequest("InvalidNextToken", "The next token %q is not one that this request was given.", *token)
	}
	return i, nil
}

// describe adds the alarm to the answer's list of its type. c.mu is held.
func (c *cloudWatchService) describe(a *alarm, out *cloudwatch.DescribeAlarmsOutput) {
	was := *a // the answer must not change later
	arn := aws.String("arn:aws:cloudwatch:" + c.region + ":" + c.account + ":alarm:" + a.name)
	switch a.kind {
	case types.AlarmTypeCompositeAlarm:
		out.CompositeAlarms = append(out.CompositeAlarms, types.CompositeAlarm{
			AlarmName: &was.name, AlarmArn: arn, ActionsEnabled: aws.Bool(true), AlarmConfigurationUpdatedTimestamp: &was.created,
			StateValue: was.state, StateReason: &was.reason, StateReasonData: was.reasonData,
			StateUpdatedTimestamp: &was.updated, StateTransitionedTimestamp: &was.changed,
		})
	case types.AlarmTypeLogAlarm:
		out.LogAlarms = append(out.LogAlarms, types.LogAlarm{
			AlarmName: &was.name, AlarmArn: arn, ActionsEnabled: aws.Bool(true), AlarmConfigurationUpdatedTimestamp: &was.created,
			StateValue: was.state, StateReason: &was.reason, StateReasonData: was.reasonData, EvaluationState: was.evaluation,
			StateUpdatedTimestamp: &was.updated, StateTransitionedTimestamp: &was.changed,
		})
	default:
		out.MetricAlarms = append(out.MetricAlarms, types.MetricAlarm{
			AlarmName: &was.name, AlarmArn: arn, ActionsEnabled: aws.Bool(true), AlarmConfigurationUpdatedTimestamp: &was.created,
			StateValue: was.state, StateReason: &was.reason, StateReasonData: was.reasonData, EvaluationState: was.evaluation,
			StateUpdatedTimestamp: &was.updated, StateTransitionedTimestamp: &was.changed,
		})
	}
}

// setAlarmState sets an alarm's state. Unlike on AWS, the state stays until it is set again.
func (c *cloudWatchService) setAlarmState(r *request) (reply, *apiError) {
	var in setAlarmStateInput
	if err := c.decode(r, schemas.SetAlarmStateInput, &in); err != nil {
		return reply{}, err
	}
	switch {
	case aws.ToString(in.AlarmName) == "":
		return reply{}, badRequest("MissingParameter", "The parameter AlarmName is required.")
	case in.StateReason == nil:
		return reply{}, badRequest("MissingParameter", "The parameter StateReason is required.")
	case len(*in.StateReason) > 1023:
		return reply{}, badRequest("ValidationError", "The parameter StateReason must not be longer than 1023.")
	case !slices.Contains(in.StateValue.Values(), in.StateValue):
		return reply{}, badRequest("ValidationError", "The value %s for parameter StateValue is not supported.", in.StateValue)
	case in.StateReasonData != nil && !json.Valid([]byte(*in.StateReasonData)):
		return reply{}, badRequest("InvalidFormat", "The parameter StateReasonData must be JSON.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.searchAlarm(*in.AlarmName)
	if !ok {
		return reply{}, &apiError{http.StatusNotFound, "ResourceNotFound", fmt.Sprintf("Alarm %s does not exist", *in.AlarmName)}
	}
	c.alarms[i].set(in.StateValue, *in.StateReason, in.StateReasonData, c.metrics.now())
	return reply{http.StatusOK, cborHeader(), nil}, nil
}

// searchAlarm returns the index that the alarm has or would have, and whether it exists. c.mu is held.
func (c *cloudWatchService) searchAlarm(name string) (int, bool) {
	return slices.BinarySearchFunc(c.alarms, name, func(a *alarm, name string) int { return strings.Compare(a.name, name) })
}
