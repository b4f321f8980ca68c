package localaws

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// virtualClock is a clock that only Sleep advances.
type virtualClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *virtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *virtualClock) Sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a local AWS with the function "f", its versions 1, 2 and 3, and its alias "live" on version 1.
type world struct {
	*Server
	clock      *virtualClock
	executions *machine
	lambda     *lambda.Client
	cloudwatch *cloudwatch.Client
	sfn        *sfn.Client
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// overBothTransports runs the test in process and over a loopback socket, each time in a new world.
func overBothTransports(t *testing.T, test func(*testing.T, *world)) {
	t.Run("in process", func(t *testing.T) { test(t, newWorld(t, Options{})) })
	t.Run("socket", func(t *testing.T) {
		w := newWorld(t, Options{})
		socket := httptest.NewServer(w.Server)
		t.Cleanup(socket.Close)
		w.connect(w.ConfigAt(socket.URL))
		test(t, w)
	})
}

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	w := &world{clock: &virtualClock{now: noon}, executions: &machine{}}
	o.Now, o.Sleep, o.Executions = w.clock.Now, w.clock.Sleep, w.executions
	w.Server = New(o)
	w.connect(w.Config())
	w.createFunction(t, "f", 3)
	_, err := w.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1"), Description: aws.String("customers")})
	check(t, err)
	return w
}

func (w *world) connect(cfg aws.Config) {
	w.lambda, w.cloudwatch, w.sfn = lambda.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg), sfn.NewFromConfig(cfg)
}

// createFunction creates a function with a number of published versions.
func (w *world) createFunction(t testing.TB, name string, versions int) {
	t.Helper()
	_, err := w.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/r"), Code: &types.FunctionCode{ZipFile: archive("0")},
		Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap")})
	check(t, err)
	for n := range versions {
		_, err := w.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: archive(strconv.Itoa(n)), Publish: true})
		check(t, err)
	}
}

// archive returns a deployment package.
func archive(content string) []byte { return DeploymentPackage("bootstrap", content) }

// shift sets the alias's weights, whatever its revision.
func (w *world) shift(ctx context.Context, additional string, weight float64) (*lambda.UpdateAliasOutput, error) {
	return w.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), RoutingConfig: weights(additional, weight)})
}

func weights(additional string, weight float64) *types.AliasRoutingConfiguration {
	return &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{additional: weight}}
}

func (w *world) alias(t testing.TB) Alias {
	t.Helper()
	a, ok := w.Alias("f", "live")
	if !ok {
		t.Fatal("alias live is gone")
	}
	return a
}

// data reads one metric for the hour around noon.
func (w *world) data(t testing.TB, namespace, name, stat string, dimensions ...string) []datapoint {
	t.Helper()
	return w.query(t, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(noon.Add(-30 * time.Minute)), EndTime: aws.Time(noon.Add(30 * time.Minute)), ScanBy: cwtypes.ScanByTimestampAscending,
		MetricDataQueries: []cwtypes.MetricDataQuery{metricQuery("m", namespace, name, stat, 60, dimensions...)},
	})
}

type datapoint struct {
	Minute int // after noon
	Value  float64
}

// query reads all pages of a request for one metric.
func (w *world) query(t testing.TB, in *cloudwatch.GetMetricDataInput) []datapoint {
	t.Helper()
	all := []datapoint{}
	once := func(o *cloudwatch.GetMetricDataPaginatorOptions) { o.StopOnDuplicateToken = true }
	for pages := cloudwatch.NewGetMetricDataPaginator(w.cloudwatch, in, once); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		check(t, err)
		for _, result := range page.MetricDataResults {
			for i, at := range result.Timestamps {
				all = append(all, datapoint{int(at.Sub(noon).Minutes()), result.Values[i]})
			}
		}
	}
	return all
}

func metricQuery(id, namespace, name, stat string, period int32, dimensions ...string) cwtypes.MetricDataQuery {
	metric := &cwtypes.Metric{Namespace: &namespace, MetricName: &name}
	for pair := range slices.Chunk(dimensions, 2) {
		metric.Dimensions = append(metric.Dimensions, cwtypes.Dimension{Name: &pair[0], Value: &pair[1]})
	}
	return cwtypes.MetricDataQuery{Id: &id, MetricStat: &cwtypes.MetricStat{Metric: metric, Period: &period, Stat: &stat}}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// outcome returns how a call ended for its caller: its error code and HTTP status, or the error if no answer came.
func outcome(err error) (code string, status int) {
	if err == nil {
		return "", 200
	}
	if response := (*smithyhttp.ResponseError)(nil); errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode(), status
	}
	return err.Error(), status
}
