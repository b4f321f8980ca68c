package localaws

import (
	"context"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	types "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// CloudWatch is an SDK client of CloudWatch that answers GetMetricData without the wire if nothing on it matters: see
// [Server.CloudWatch].
type CloudWatch struct {
	*cloudwatch.Client
	typed
	options *cloudwatch.Options
}

// CloudWatch returns a client with a configuration of [Server.Config], [Server.ConfigAt] or [Server.As]. In this process,
// calls that neither limits nor a fault concern, and that would not be retried, are answered without being encoded and decoded. All else is the same.
func (s *Server) CloudWatch(cfg aws.Config) CloudWatch {
	client := cloudwatch.NewFromConfig(cfg)
	options := client.Options()
	options.APIOptions = slices.Clip(options.APIOptions)
	return CloudWatch{client, s.typedBy(cfg), &options}
}

// GetMetricData implements [cloudwatch.GetMetricDataAPIClient].
func (c CloudWatch) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	const operation = "GetMetricData"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || !isComplete(in) {
		return c.Client.GetMetricData(ctx, in, options...)
	}
	service := c.server.cloudwatch
	out, lost := perform(ctx, c.typed, cloudWatchFace{service, cborWire{}}, Call{Operation: operation}, always(need{"cloudwatch:" + operation, "*", false}), func() (*cloudwatch.GetMetricDataOutput, *apiError) {
		answer, err := service.getMetricData(&getMetricDataInput{*in})
		if err != nil {
			return nil, err
		}
		return answer.(*cloudwatch.GetMetricDataOutput), nil
	})
	if lost != nil {
		return c.Client.GetMetricData(lost.during, in, func(o *cloudwatch.Options) { o.HTTPClient = lost })
	}
	return out, nil
}

// isComplete reports whether the SDK would send the input, and as it is: nothing that it requires is missing, and times have
// no parts that the wire leaves out.
func isComplete(in *cloudwatch.GetMetricDataInput) bool {
	if in == nil || in.StartTime == nil || in.EndTime == nil || !isWholeSecond(*in.StartTime) || !isWholeSecond(*in.EndTime) || in.MetricDataQueries == nil {
		return false
	}
	for i := range in.MetricDataQueries {
		query := &in.MetricDataQueries[i]
		if query.Id == nil {
			return false
		}
		stat := query.MetricStat
		if stat == nil {
			continue
		}
		if stat.Metric == nil || stat.Period == nil || stat.Stat == nil {
			return false
		}
		for _, d := range stat.Metric.Dimensions {
			if d.Name == nil || d.Value == nil {
				return false
			}
		}
	}
	return true
}

func isWholeSecond(at time.Time) bool { return at.Nanosecond() == 0 }

// Parameters is an SDK client of Systems Manager that answers GetParameterHistory without the wire if nothing on it matters:
// see [Server.CloudWatch].
type Parameters struct {
	*ssm.Client
	typed
	options *ssm.Options
}

// Parameters returns a client with a configuration, as [Server.CloudWatch] does.
func (s *Server) Parameters(cfg aws.Config) Parameters {
	client := ssm.NewFromConfig(cfg)
	options := client.Options()
	options.APIOptions = slices.Clip(options.APIOptions)
	return Parameters{client, s.typedBy(cfg), &options}
}

// GetParameterHistory implements [ssm.GetParameterHistoryAPIClient].
func (c Parameters) GetParameterHistory(ctx context.Context, in *ssm.GetParameterHistoryInput, options ...func(*ssm.Options)) (*ssm.GetParameterHistoryOutput, error) {
	const operation = "GetParameterHistory"
	of := changed(c.options, options)
	if !c.bypasses(ctx, operation, of.HTTPClient, of.Retryer) || in == nil || in.Name == nil || !utf8.ValidString(*in.Name) {
		return c.Client.GetParameterHistory(ctx, in, options...)
	}
	service := c.server.ssm
	out, lost := perform(ctx, c.typed, service, Call{Operation: operation}, always(service.needOf(operation, *in.Name)), func() (*ssm.GetParameterHistoryOutput, *apiError) {
		return service.typedHistory(in)
	})
	if lost != nil {
		if err := lost.noParameter(); err != nil {
			return nil, err
		}
		return c.Client.GetParameterHistory(lost.during, in, func(o *ssm.Options) { o.HTTPClient = lost })
	}
	return out, nil
}

// noParameter returns the SDK's error for a parameter that does not exist, which is what most rollouts find; nil for any other
// answer.
func (c *carried) noParameter() error {
	if c.err != nil || c.code != "ParameterNotFound" {
		return nil
	}
	response := &smithyhttp.Response{Response: &http.Response{StatusCode: c.answer.status, Header: c.answer.header, Body: http.NoBody}}
	return &smithy.OperationError{ServiceID: ssm.ServiceID, OperationName: "GetParameterHistory", Err: &awshttp.ResponseError{
		RequestID:     c.answer.header.Get("X-Amzn-Requestid"),
		ResponseError: &smithyhttp.ResponseError{Response: response, Err: &types.ParameterNotFound{Message: aws.String("")}},
	}}
}

// typedHistory returns a page of a parameter's versions as the SDK reads it.
func (s *ssmService) typedHistory(in *ssm.GetParameterHistoryInput) (*ssm.GetParameterHistoryOutput, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, versions, next, err := s.history(in)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParameterHistoryOutput{Parameters: make([]types.ParameterHistory, 0, len(versions))}
	if next != "" {
		out.NextToken = &next
	}
	for _, v := range versions {
		item := types.ParameterHistory{
			Name: aws.String(p.name), Value: aws.String(p.valueOf(v, in.WithDecryption)), LastModifiedUser: aws.String(v.user), DataType: aws.String("text"),
			Type: p.kind, Tier: tierOf(v.value), Version: v.number, LastModifiedDate: aws.Time(v.at.UTC().Truncate(time.Millisecond)),
			Labels: []string{}, Policies: []types.ParameterInlinePolicy{},
		}
		if v.about != "" {
			item.Description = aws.String(v.about)
		}
		out.Parameters = append(out.Parameters, item)
	}
	return out, nil
}
