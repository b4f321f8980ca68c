package localaws_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go/document"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// typedWorld is a server with something to read, and its clients: the typed ones, or those that use the wire.
type typedWorld struct {
	*localaws.Server
	calls      []string // hooks and pauses, in their order
	metrics    cloudwatch.GetMetricDataAPIClient
	parameters ssm.GetParameterHistoryAPIClient
	aliases    interface {
		GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
		GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
		UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
	}
	topics interface {
		Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
	}
	bus interface {
		PutEvents(context.Context, *eventbridge.PutEventsInput, ...func(*eventbridge.Options)) (*eventbridge.PutEventsOutput, error)
	}
	executions interface {
		sfn.ListExecutionsAPIClient
		sfn.GetExecutionHistoryAPIClient
		DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
	}
	during func() // the effect of a call
}

// caller is who makes calls of a typedWorld.
type caller struct {
	principal string // empty for none
	allowed   bool   // the principal may do everything; otherwise nothing
	attempts  int    // at a call, if more than 0
	limits    []localaws.Limit
}

func newTypedWorld(t *testing.T, typed bool, by caller) *typedWorld {
	t.Helper()
	w := &typedWorld{}
	now := time.Date(2026, 1, 1, 12, 0, 0, 123_456_789, time.UTC)
	note := func(format string, args ...any) { w.calls = append(w.calls, fmt.Sprintf(format, args...)) }
	w.Server = localaws.New(localaws.Options{
		Now: func() time.Time { return now }, Latency: 50 * time.Millisecond,
		Sleep: func(d time.Duration) { note("%s passes", d); now = now.Add(d) },
		BeforeCall: func(operation string) {
			note("before %s", operation)
			if w.during != nil {
				w.during()
			}
		},
		BeforeFunction: func(name string) { note("before %s", name) },
		Limits:         by.limits,
		Executions:     fixedExecutions(executionsOf(now)),
		OnCall:         func(c localaws.Call) { note("after %+v", c) },
		Authorize: func(principal, action, resource string, keys map[string][]string) error {
			note("%s wants %s on %s with %v", principal, action, resource, keys)
			if by.allowed {
				return nil
			}
			return errors.New("no identity-based policy allows it")
		},
	})
	err := errors.Join(w.AddFunction("f", 1, 2), w.AddAlias("f", "live", "1", "Serves everybody"))
	for i := range 60 {
		err = errors.Join(err, w.PutParameter("/orders", fmt.Sprint("order ", i), "arn:aws:iam::123456789012:user/é"))
	}
	for i := range 10 {
		err = errors.Join(err, w.RecordInvocations(localaws.Invocations{Function: "f", Alias: "live", Version: "1", At: now.Add(time.Duration(i-20) * time.Minute),
			Invocations: 10, Errors: 1, Duration: localaws.DurationStats{Sum: time.Second, Minimum: time.Millisecond, Maximum: time.Second}}))
	}
	_, failed := w.AddTopic("deployments")
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	cfg := w.Config()
	if by.principal != "" {
		cfg = w.As(by.principal, cfg)
	}
	if by.attempts > 0 {
		cfg = w.Retrying(cfg, by.attempts)
	}
	if typed {
		w.metrics, w.parameters, w.aliases = w.CloudWatch(cfg), w.Parameters(cfg), w.Lambda(cfg)
		w.topics, w.bus, w.executions = w.Topics(cfg), w.EventBridge(cfg), w.StepFunctions(cfg)
	} else {
		w.metrics, w.parameters, w.aliases = cloudwatch.NewFromConfig(cfg), ssm.NewFromConfig(cfg), lambda.NewFromConfig(cfg)
		w.topics, w.bus, w.executions = sns.NewFromConfig(cfg), eventbridge.NewFromConfig(cfg), sfn.NewFromConfig(cfg)
	}
	return w
}

func (w *typedWorld) metric(ctx context.Context, in *cloudwatch.GetMetricDataInput) (any, middleware.Metadata, error) {
	out, err := w.metrics.GetMetricData(ctx, in)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return out, out.ResultMetadata, nil
}

func (w *typedWorld) history(ctx context.Context, in *ssm.GetParameterHistoryInput) (any, middleware.Metadata, error) {
	out, err := w.parameters.GetParameterHistory(ctx, in)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return out, out.ResultMetadata, nil
}

func (w *typedWorld) read(ctx context.Context, in *lambda.GetAliasInput) (any, middleware.Metadata, error) {
	out, err := w.aliases.GetAlias(ctx, in)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return out, out.ResultMetadata, nil
}

func (w *typedWorld) write(ctx context.Context, in *lambda.UpdateAliasInput) (any, middleware.Metadata, error) {
	out, err := w.aliases.UpdateAlias(ctx, in)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return out, out.ResultMetadata, nil
}

func (w *typedWorld) publish(ctx context.Context, in *sns.PublishInput, options ...func(*sns.Options)) (any, middleware.Metadata, error) {
	out, err := w.topics.Publish(ctx, in, options...)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return out, out.ResultMetadata, nil
}

func (w *typedWorld) put(ctx context.Context, in *eventbridge.PutEventsInput) (any, middleware.Metadata, error) {
	out, err := w.bus.PutEvents(ctx, in)
	if err != nil {
		return nil, middleware.Metadata{}, err
	}
	return out, out.ResultMetadata, nil
}

// metricInput asks for two metrics of the last hour, and is then changed.
func metricInput(change func(*cloudwatch.GetMetricDataInput)) *cloudwatch.GetMetricDataInput {
	query := func(id, metric, stat string) cwtypes.MetricDataQuery {
		return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{Period: aws.Int32(60), Stat: &stat, Metric: &cwtypes.Metric{
			Namespace: aws.String("AWS/Lambda"), MetricName: &metric, Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("f")}},
		}}}
	}
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(time.Date(2026, 1, 1, 11, 0, 0, 0, time.UTC)), EndTime: aws.Time(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)),
		MetricDataQueries: []cwtypes.MetricDataQuery{query("a", "Invocations", "Sum"), query("b", "Duration", "Average"), query("c", "None", "Sum")},
	}
	if change != nil {
		change(in)
	}
	return in
}

// aliasInput moves the alias, and is then changed.
func aliasInput(change func(*lambda.UpdateAliasInput)) *lambda.UpdateAliasInput {
	in := &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1"), Description: aws.String("é <b>"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1 + 0.2}}}
	if change != nil {
		change(in)
	}
	return in
}

// compareTyped makes a call with typed clients and with others, and compares all that can be seen of it. It makes it without a
// principal, as one that may do everything, and as one that may do nothing. Wire says that the typed client had to use the wire,
// or that there is an error.
func compareTyped(t *testing.T, call func(*typedWorld) (any, middleware.Metadata, error), by caller, wire bool, prepare func(*typedWorld)) {
	t.Helper()
	compareTypedOf(t, call, by, wire, prepare)
	by.principal, by.allowed = "arn:aws:sts::123456789012:assumed-role/r/s", true
	compareTypedOf(t, call, by, wire, prepare)
	by.allowed = false
	compareTypedOf(t, call, by, true, prepare)
}

// compareTypedOf is compareTyped for one caller.
func compareTypedOf(t *testing.T, call func(*typedWorld) (any, middleware.Metadata, error), by caller, wire bool, prepare func(*typedWorld)) {
	t.Helper()
	type seen struct {
		Out   any
		Err   string
		Calls []string
		After []localaws.Alias
		Sent  []localaws.Published
		Put   []localaws.Event
		Next  string // the id of the next request
	}
	see := func(typed bool) (s seen, onWire bool) {
		w := newTypedWorld(t, typed, by)
		if prepare != nil {
			prepare(w)
		}
		out, metadata, err := call(w)
		s = seen{Out: out, Calls: w.calls, After: w.Aliases(), Sent: w.Published(), Put: w.Events()}
		if err != nil {
			s.Err = err.Error()
		}
		next, err := lambda.NewFromConfig(w.Config()).ListFunctions(context.Background(), &lambda.ListFunctionsInput{})
		if err == nil {
			s.Next, _ = awsmiddleware.GetRequestIDMetadata(next.ResultMetadata)
		}
		_, onWire = awsmiddleware.GetRequestIDMetadata(metadata)
		return s, onWire || s.Err != ""
	}
	want, _ := see(false)
	got, onWire := see(true)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreTypes(middleware.Metadata{}), cmp.Comparer(time.Time.Equal),
		cmpopts.IgnoreTypes(document.NoSerde{}), cmpopts.IgnoreUnexported(cloudwatch.GetMetricDataOutput{}, cwtypes.MetricDataResult{}, cwtypes.MessageData{}, ssm.GetParameterHistoryOutput{},
			ssmtypes.ParameterHistory{}, lambda.GetAliasOutput{}, lambda.UpdateAliasOutput{}, types.AliasRoutingConfiguration{},
			sns.PublishOutput{}, eventbridge.PutEventsOutput{}, eventtypes.PutEventsResultEntry{},
			sfn.DescribeExecutionOutput{}, sfn.ListExecutionsOutput{}, sfntypes.ExecutionListItem{}, sfn.GetExecutionHistoryOutput{}, sfntypes.HistoryEvent{}, sfntypes.StateEnteredEventDetails{}, sfntypes.CloudWatchEventsExecutionDataDetails{})); diff != "" {
		t.Errorf("over the wire and typed, by %+v:\n%s", by, diff)
	}
	if onWire != wire {
		t.Errorf("by %+v, it went over the wire, or failed: %v", by, onWire)
	}
}
