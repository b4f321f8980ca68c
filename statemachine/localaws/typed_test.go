package localaws_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go/middleware"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestTypedClientsDoWhatTheWireDoes for calls that succeed, that AWS refuses, and that the SDK does not even send.
func TestTypedClientsDoWhatTheWireDoes(t *testing.T) {
	ctx := context.Background()
	type call = func(*typedWorld) (any, middleware.Metadata, error)
	for name, each := range map[string]struct {
		call call
		wire bool // the call needs the wire
	}{
		"metrics": {call: func(w *typedWorld) (any, middleware.Metadata, error) { return w.metric(ctx, metricInput(nil)) }},
		"a page of metrics": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.MaxDatapoints = aws.Int32(7) }))
		}},
		"ten descending": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.ScanBy = cwtypes.ScanByTimestampDescending }))
		}},
		"an expression": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) {
				in.MetricDataQueries = append(in.MetricDataQueries, cwtypes.MetricDataQuery{Id: aws.String("e"), Label: aws.String("é"), Expression: aws.String("a*2")})
			}))
		}},
		"a bad expression": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) {
				in.MetricDataQueries = append(in.MetricDataQueries, cwtypes.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("a*")})
			}))
		}},
		"a bad statistic": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[1].MetricStat.Stat = aws.String("p101") }))
		}},
		"no metrics": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) { return w.metric(ctx, nil) }},
		"no query's id": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[1].Id = nil }))
		}},
		"no metric": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries[1].MetricStat.Metric = nil }))
		}},
		"no dimension's value": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) {
				in.MetricDataQueries[1].MetricStat.Metric.Dimensions[0].Value = nil
			}))
		}},
		"no queries": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.MetricDataQueries = nil }))
		}},
		"part of a second": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.metric(ctx, metricInput(func(in *cloudwatch.GetMetricDataInput) { in.EndTime = aws.Time(in.EndTime.Add(time.Nanosecond)) }))
		}},
		"orders": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("/orders")})
		}},
		"more orders": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("/orders"), NextToken: aws.String("51")})
		}},
		"no orders": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("/none")})
		}},
		"a bad token": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("/orders"), NextToken: aws.String("ParameterNotFound")})
		}},
		"too many orders": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("/orders"), MaxResults: aws.Int32(51)})
		}},
		"a name that says it": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String(`"ParameterNotFound"`)})
		}},
		"no UTF-8": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{Name: aws.String("\xff")})
		}},
		"no name": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.history(ctx, &ssm.GetParameterHistoryInput{})
		}},
		"the alias": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.read(ctx, &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		}},
		"the alias by ARN": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.read(ctx, &lambda.GetAliasInput{FunctionName: aws.String("arn:aws:lambda:eu-central-1:123456789012:function:f"), Name: aws.String("live")})
		}},
		"no alias": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.read(ctx, &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("dead")})
		}},
		"an odd alias": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.read(ctx, &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("a/../b?c")})
		}},
		"an empty name": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.read(ctx, &lambda.GetAliasInput{FunctionName: aws.String(""), Name: aws.String("live")})
		}},
		"another region": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.read(ctx, &lambda.GetAliasInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:123456789012:function:f"), Name: aws.String("live")})
		}},
		"a shift": {call: func(w *typedWorld) (any, middleware.Metadata, error) { return w.write(ctx, aliasInput(nil)) }},
		"no weights": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) { in.RoutingConfig.AdditionalVersionWeights = map[string]float64{} }))
		}},
		"nothing to change": {call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")})
		}},
		"a stale revision": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) { in.RevisionId = aws.String("x") }))
		}},
		"a long description": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) { in.Description = aws.String(strings.Repeat("x", 300)) }))
		}},
		"half a character": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) { in.Description = aws.String("\xc3") }))
		}},
		"a weight of no size": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) { in.RoutingConfig.AdditionalVersionWeights["2"] = math.NaN() }))
		}},
		"a weight of 2": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) { in.RoutingConfig.AdditionalVersionWeights["2"] = 2 }))
		}},
		"its version beside": {wire: true, call: func(w *typedWorld) (any, middleware.Metadata, error) {
			return w.write(ctx, aliasInput(func(in *lambda.UpdateAliasInput) {
				in.RoutingConfig.AdditionalVersionWeights = map[string]float64{"1": 0.5}
			}))
		}},
	} {
		t.Run(name, func(t *testing.T) { compareTyped(t, each.call, caller{}, each.wire, nil) })
	}
}

// TestWhatMattersGoesOverTheWire: calls that a fault concerns, and those that have no time left.
func TestWhatMattersGoesOverTheWire(t *testing.T) {
	asks := func(w *typedWorld) (any, middleware.Metadata, error) { return w.metric(t.Context(), metricInput(nil)) }
	for _, kind := range localaws.FaultKinds() {
		fault := localaws.Fault{Operation: "GetMetricData", Kind: kind, First: 2}
		if kind == localaws.Slow {
			fault.After = time.Second
		}
		twice := func(w *typedWorld) (any, middleware.Metadata, error) {
			_, _, first := asks(w)
			out, metadata, second := asks(w)
			return out, metadata, errors.Join(first, second)
		}
		inject := func(w *typedWorld) {
			if _, err := w.Inject(fault); err != nil {
				t.Fatal(err)
			}
		}
		compareTyped(t, twice, caller{}, true, inject)
		fault.Operation = "GetAlias"
		compareTyped(t, twice, caller{}, false, inject)
		fault.Operation = localaws.Every
		compareTyped(t, twice, caller{}, true, inject)
	}
	for _, ask := range []func(*typedWorld) (any, middleware.Metadata, error){asks, twiceThrottled, refuses} {
		for _, limits := range [][]localaws.Limit{nil, {{Service: "cloudwatch", Operations: []string{"GetMetricData"}, Bucket: 1, Refill: 0.25}}} {
			compareTyped(t, ask, caller{attempts: 3, limits: limits}, true, nil)
		}
	}
	compareTyped(t, twiceThrottled, caller{limits: localaws.AWSLimits()}, true, nil)
	late, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("too late"))
	compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) { return w.metric(late, metricInput(nil)) }, caller{}, true, nil)
	var ctx context.Context
	compareTyped(t, func(w *typedWorld) (any, middleware.Metadata, error) { return w.write(ctx, aliasInput(nil)) }, caller{}, true, func(w *typedWorld) {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(t.Context())
		w.during = func() { cancel(errors.New("too late")) } // and the write has its effect
	})
}

// twiceThrottled asks for metrics twice. The second time finds no token if the bucket holds one.
func twiceThrottled(w *typedWorld) (any, middleware.Metadata, error) {
	_, _, first := w.metric(context.Background(), metricInput(nil))
	out, metadata, second := w.metric(context.Background(), metricInput(nil))
	return out, metadata, errors.Join(first, second)
}

// refuses asks for an alias that does not exist.
func refuses(w *typedWorld) (any, middleware.Metadata, error) {
	return w.read(context.Background(), &lambda.GetAliasInput{FunctionName: aws.String("f"), Name: aws.String("dead")})
}
