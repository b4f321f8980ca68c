package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/google/go-cmp/cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/journal"
	"github.com/lambda-rollout/lambda-rollout/statemachine/stacktemplate"
)

// keptAWS is a served AWS with a journal.
type keptAWS struct {
	*ServedAWS
	cfg  aws.Config
	url  string
	path string
	end  func()
}

// keep serves the AWS of a file, which it restores, at a speed until end is called or
// the test ends.
func keep(t *testing.T, path, scenario string, speed float64) keptAWS {
	t.Helper()
	k, err := tryToKeep(t, path, scenario, speed)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func tryToKeep(t *testing.T, path, scenario string, speed float64) (keptAWS, error) {
	t.Helper()
	j, err := journal.Open(path)
	if err != nil {
		return keptAWS{}, err
	}
	begin, ok := j.Settings()
	if !ok {
		begin = journal.Settings{Seed: 1, Scenario: []byte(scenario), Template: stacktemplate.Template(), Start: started}
		if err := j.Begin(begin); err != nil {
			t.Fatal(err)
		}
	}
	conditions, err := ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServed(ServeOptions{Scenario: conditions, Seed: begin.Seed, Template: begin.Template, Start: begin.Start, Speed: speed, Journal: j,
		Trouble: func(err error) { t.Log(err) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(context.Background()); err != nil {
		return keptAWS{}, errors.Join(err, j.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	server := httptest.NewServer(s)
	end := sync.OnceFunc(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v", err)
		}
		server.Close()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(end)
	return keptAWS{s, s.server.ConfigAt(server.URL), server.URL, path, end}, nil
}

// killed returns a copy of the file as a killed process would leave it now.
func (k keptAWS) killed(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(k.path)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "killed")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// state returns all that clients can read of an AWS.
func (k keptAWS) state(t *testing.T) map[string]any {
	t.Helper()
	all := map[string]any{"time": k.Now()}
	ctx := context.Background()
	put := func(name string, value any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = value
	}
	functions, logs, alarms, parameters, machines := lambda.NewFromConfig(k.cfg), cloudwatchlogs.NewFromConfig(k.cfg), cloudwatch.NewFromConfig(k.cfg), ssm.NewFromConfig(k.cfg), sfn.NewFromConfig(k.cfg)
	listed, err := functions.ListFunctions(ctx, &lambda.ListFunctionsInput{})
	put("functions", listed.Functions, err)
	for _, f := range listed.Functions {
		name := *f.FunctionName
		versions, err := functions.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: &name})
		put("versions of "+name, versions.Versions, err)
		aliases, err := functions.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: &name})
		put("aliases of "+name, aliases.Aliases, err)
		tags, err := functions.ListTags(ctx, &lambda.ListTagsInput{Resource: f.FunctionArn})
		put("tags of "+name, tags.Tags, err)
	}
	found, err := alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	put("alarms", found.MetricAlarms, err)
	happened, err := alarms.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{})
	put("alarm history", happened.AlarmHistoryItems, err)
	metrics, err := alarms.ListMetrics(ctx, &cloudwatch.ListMetricsInput{})
	put("metrics", metrics.Metrics, err)
	for i, m := range metrics.Metrics {
		values, err := alarms.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions,
			StartTime: aws.Time(started.Add(-time.Hour)), EndTime: aws.Time(k.Now()), Period: aws.Int32(300), Statistics: []cwtypes.Statistic{"Sum", "Average", "Maximum", "SampleCount"}})
		put(fmt.Sprintf("metric %d", i), values.Datapoints, err)
	}
	groups, err := logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
	put("log groups", groups.LogGroups, err)
	for _, g := range groups.LogGroups {
		lines, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: g.LogGroupName})
		put("log "+*g.LogGroupName, lines.Events, err)
	}
	byPath, err := parameters.GetParametersByPath(ctx, &ssm.GetParametersByPathInput{Path: aws.String("/"), Recursive: aws.Bool(true)})
	put("parameters", byPath.Parameters, err)
	for _, p := range byPath.Parameters {
		history, err := parameters.GetParameterHistory(ctx, &ssm.GetParameterHistoryInput{Name: p.Name})
		put("history of "+*p.Name, history.Parameters, err)
	}
	executions, err := machines.ListExecutions(ctx, &sfn.ListExecutionsInput{StateMachineArn: aws.String(k.StateMachine())})
	put("executions", executions.Executions, err)
	for _, e := range executions.Executions {
		described, err := machines.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: e.ExecutionArn})
		if err == nil {
			described.ResultMetadata = listed.ResultMetadata
		}
		put("execution "+*e.Name, described, err)
		history, err := machines.GetExecutionHistory(ctx, &sfn.GetExecutionHistoryInput{ExecutionArn: e.ExecutionArn, MaxResults: 1000})
		put("history of "+*e.Name, history.Events, err)
	}
	all["published"] = k.Notifications()
	return all
}

// sameState compares what clients can read.
func sameState(t *testing.T, was, is map[string]any) {
	t.Helper()
	for name := range was {
		if diff := cmp.Diff(string(mustJSON(was[name])), string(mustJSON(is[name]))); diff != "" {
			t.Errorf("%s differ: %s", name, diff[:min(len(diff), 1500)])
		}
	}
	if len(was) != len(is) {
		t.Errorf("there were %d things to read, and are %d", len(was), len(is))
	}
}

// use makes all kinds of changes, and starts a rollout of MyFunction; reads come between
// if reads is true.
func (k keptAWS) use(t *testing.T, reads bool) string {
	t.Helper()
	ctx := context.Background()
	functions, alarms, parameters := lambda.NewFromConfig(k.cfg), cloudwatch.NewFromConfig(k.cfg), ssm.NewFromConfig(k.cfg)
	did := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if reads {
			k.state(t)
		}
	}
	for _, name := range []string{"F2", "F1"} { // both become ready at the same time
		did(functions.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: "nodejs22.x", Handler: aws.String("index.handler"),
			Code: &lambdatypes.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("k")}, Tags: map[string]string{"lambda-rollout": "enabled", "who": name}, Publish: true}))
	}
	advance(t, k.ServedAWS, 3*time.Second)
	did(functions.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("F1")}))
	did(functions.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("F1"), S3Bucket: aws.String("b"), S3Key: aws.String("k2")}))
	advance(t, k.ServedAWS, 2*time.Second)
	did(functions.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("F1")}))
	did(functions.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("F1"), Name: aws.String("MyAlias"), FunctionVersion: aws.String("1"),
		RoutingConfig: &lambdatypes.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.25}}}))
	did(functions.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("F1"), Name: aws.String("Other"), FunctionVersion: aws.String("2")}))
	did(parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/my/secret"), Value: aws.String("one"), Type: "SecureString"}))
	did(parameters.PutParameter(ctx, &ssm.PutParameterInput{Name: aws.String("/my/secret"), Value: aws.String("two"), Type: "SecureString", Overwrite: aws.Bool(true)}))
	did(alarms.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("mine"), Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Invocations"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("MyFunction")}}, Statistic: "Sum", Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: "GreaterThanThreshold"}))
	did(alarms.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("Mine"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(0.1)}}}))
	for range 3 { // a fault may strike one, if it counts them
		_, _ = functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("F1")})
	}
	if _, err := functions.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: aws.String("nothing"), Name: aws.String("x")}); err == nil {
		t.Error("an alias of no function was deleted")
	}
	arn := startOn(t, k.ServedAWS, k.cfg, servedFunction, "kept")
	advance(t, k.ServedAWS, 3*time.Minute+4*time.Second)
	if reads { // in the middle of what is drawn at once
		k.state(t)
	}
	advance(t, k.ServedAWS, 4*time.Minute-4*time.Second)
	did(alarms.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("mine"), StateValue: "INSUFFICIENT_DATA", StateReason: aws.String("by hand")}))
	advance(t, k.ServedAWS, 3*time.Minute)
	return arn
}

func mustJSON(value any) []byte {
	text, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		panic(err)
	}
	return text
}
