package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal"
)

// The forms of values that differ each time.
const (
	isoTime    = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)`
	lambdaTime = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000`
	uuid       = `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`
	accountARN = "eu-central-1:123456789012:"
)

// badScenario returns a file with a scenario in which rollouts are rolled back.
func badScenario(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(file, []byte(`{"new-version": {"error-rate": 0.5}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// advance moves the time of a served AWS on.
func (s *servedCommand) advance(t *testing.T, seconds int) {
	t.Helper()
	answer, err := http.Post(s.env["AWS_ENDPOINT_URL"]+rehearsal.TimePath, "application/json", strings.NewReader(fmt.Sprintf(`{"advance": %d}`, seconds)))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("time does not move: %s", answer.Status)
	}
}

// theAlarms has a rollout rolled back, and sees the alarm of it by the metric that the
// execution wrote. Time passes only by control calls.
func theAlarms(t *testing.T, c cli) {
	arn := c.aws.env["STATE_MACHINE_ARN"]
	execution := strings.Replace(arn, ":stateMachine:", ":execution:", 1) + ":bad"
	const describe = "cloudwatch describe-alarms --alarm-name-prefix LambdaRollout-RolloutExecutionsFailed"
	const at = "MetricAlarms 0 "
	c.aws.advance(t, 180)
	name := field(c.expect(t, describe, at+"StateValue=OK"), at+"AlarmName")
	c.expect(t, "stepfunctions start-execution --name bad --state-machine-arn "+arn+"  --input  "+postInput, "executionArn="+execution, "startDate~"+isoTime)
	alarm := ""
	for range 6 {
		c.aws.advance(t, 60)
		if alarm = c.expect(t, describe); field(alarm, at+"StateValue") == "ALARM" {
			break
		}
	}
	for _, expected := range []string{
		"StateValue=ALARM", "AlarmArn=arn:aws:cloudwatch:" + accountARN + "alarm:" + name, "AlarmName~LambdaRollout-RolloutExecutionsFailed[0-9A-F]{8}",
		`StateReason~Threshold Crossed: 1 datapoint \[1\.0 \(\d\d/\d\d/\d\d \d\d:\d\d:00\)\] was greater than or equal to the threshold \(1\.0\)\.`,
		`StateReasonData~\{"version":"1\.0","queryDate":"[^"]+\+0000",.*"period":60,"recentDatapoints":\[1\.0\],"threshold":1\.0,.*`, "StateUpdatedTimestamp~" + isoTime, "AlarmConfigurationUpdatedTimestamp~" + isoTime,
		"MetricName=ExecutionsFailed", "Namespace=AWS/States", "Statistic=Sum", "Dimensions 0 Name=StateMachineArn", "Dimensions 0 Value=" + arn,
		"Period=60", "EvaluationPeriods=1", "Threshold=1", "ComparisonOperator=GreaterThanOrEqualToThreshold", "TreatMissingData=notBreaching", "ActionsEnabled=true",
	} {
		if problem := mismatch(alarm, at+expected); problem != "" {
			t.Errorf("the alarm's %s in %s", problem, alarm)
		}
	}
	ended := c.expect(t, "stepfunctions describe-execution --execution-arn "+execution, "status=FAILED", "error=Unhealthy", "startDate~"+isoTime, "stopDate~"+isoTime)
	stopped, err := time.Parse(time.RFC3339, field(ended, "stopDate")) // which may be the start of a minute
	if err != nil {
		t.Fatal(err)
	}
	c.expect(t, "cloudwatch get-metric-data --start-time "+field(ended, "startDate")+" --end-time "+stopped.Add(time.Minute).Format(time.RFC3339)+"  --metric-data-queries  "+
		`[{"Id": "m", "MetricStat": {"Metric": {"Namespace": "AWS/States", "MetricName": "ExecutionsFailed", "Dimensions": [{"Name": "StateMachineArn", "Value": "`+arn+`"}]}, "Period": 60, "Stat": "Sum"}}]`,
		"MetricDataResults 0 Id=m", "MetricDataResults 0 Label=ExecutionsFailed", "MetricDataResults 0 StatusCode=Complete", "MetricDataResults 0 Values=[1]", "MetricDataResults 0 Timestamps 0~"+isoTime, "Messages=[]")
	if out := c.expect(t, "cloudwatch set-alarm-state --state-value OK --alarm-name "+name+"  --state-reason  seen by an operator"); out != "" {
		t.Errorf("set-alarm-state answers %s", out)
	}
	c.expect(t, describe, at+"StateValue=OK", at+"StateReason=seen by an operator")
	c.expect(t, "cloudwatch describe-alarm-history --max-items 1 --history-item-type StateUpdate --alarm-name "+name,
		"AlarmHistoryItems 0 HistorySummary=Alarm updated from ALARM to OK", "AlarmHistoryItems 0 AlarmType=MetricAlarm", "AlarmHistoryItems 0 Timestamp~"+isoTime)
	c.refused(t, "cloudwatch set-alarm-state --state-value OK --alarm-name nothing --state-reason r", "An error occurred (ResourceNotFound) when calling the SetAlarmState operation")
	groups := c.expect(t, "logs describe-log-groups --log-group-name-prefix lambda-rollout-RolloutHealthCheckLogs")
	c.expect(t, "logs filter-log-events --limit 1 --log-group-name "+field(groups, "logGroups 0 logGroupName")+`  --filter-pattern  { $.decision = "roll-back" }`,
		`events 0 message~\{.*"alias":"MyAlias".*\}`, `events 0 logStreamName~\d{4}/\d\d/\d\d/\[\$LATEST\].+`, `events 0 timestamp~\d\.\d+e\+12`, `events 0 ingestionTime~\d\.\d+e\+12`, `events 0 eventId~\d{56}`)
}

// theReads runs commands that read what is there, several at once.
func theReads(t *testing.T, c cli) {
	arn := c.aws.env["STATE_MACHINE_ARN"]
	const function = "arn:aws:lambda:" + accountARN + "function:MyFunction"
	reads := []struct {
		line   string
		fields []string
	}{
		{"stepfunctions list-state-machines", []string{"stateMachines 0 stateMachineArn=" + arn, "stateMachines 0 name=LambdaRollout731340B9", "stateMachines 0 type=STANDARD", "stateMachines 0 creationDate~" + isoTime}},
		{"stepfunctions describe-state-machine --state-machine-arn " + arn, []string{"stateMachineArn=" + arn, "name=LambdaRollout731340B9", "status=ACTIVE", "type=STANDARD",
			"roleArn~arn:aws:iam::123456789012:role/.+", `definition~(?s)\{.*"StartAt": *"CalculateWeights".*\}\s*`, "creationDate~" + isoTime,
			"loggingConfiguration level=ALL", "loggingConfiguration includeExecutionData=true", "tracingConfiguration enabled=true",
			"loggingConfiguration destinations 0 cloudWatchLogsLogGroup logGroupArn=arn:aws:logs:" + accountARN + "log-group:/aws/vendedlogs/states/LambdaRollout731340B9:*"}},
		{"lambda list-aliases --function-name MyFunction", []string{"Aliases 0 Name=MyAlias", "Aliases 0 AliasArn=" + function + ":MyAlias", "Aliases 0 FunctionVersion=1", "Aliases 0 RevisionId~" + uuid}},
		{"lambda list-versions-by-function --function-name MyFunction", []string{"Versions 0 Version=$LATEST", "Versions 0 FunctionArn=" + function + ":$LATEST", "Versions 2 Version=2",
			"Versions 2 FunctionArn=" + function + ":2", "Versions 2 LastModified~" + lambdaTime, "Versions 2 CodeSha256~[A-Za-z0-9+/]{43}=", "Versions 2 RevisionId~" + uuid}},
		{"sts get-caller-identity", []string{"Account=123456789012", "Arn=arn:aws:iam::123456789012:user/local", "UserId~AIDA[A-Z0-9]{17}"}},
		{"sns list-topics", []string{"Topics 0 TopicArn~arn:aws:sns:" + accountARN + "lambda-rollout-RolloutTopic.+"}},
		{"ssm put-parameter --name /lambda-rollout/read --type String --value hold", []string{"Version=1", "Tier=Standard"}},
		{"events list-rules", []string{"Rules 0 State=ENABLED", "Rules 0 Arn~arn:aws:events:" + accountARN + "rule/lambda-rollout-Rollout.+", "Rules 0 EventBusName=default"}},
		{"logs describe-log-groups --log-group-name-prefix /aws/vendedlogs", []string{"logGroups 0 logGroupName=/aws/vendedlogs/states/LambdaRollout731340B9", `logGroups 0 creationTime~\d\.\d+e\+12`}},
	}
	var wait sync.WaitGroup
	turns := make(chan bool, 2)
	for _, r := range reads {
		wait.Go(func() {
			turns <- true
			defer func() { <-turns }()
			c.checked(t, r.line, r.fields...)
		})
	}
	wait.Wait()
	c.expect(t, "lambda tag-resource --tags team=shop --resource "+function)
	c.expect(t, "lambda get-function --function-name MyFunction", "Tags team=shop", "Tags lambda-rollout=enabled", "Configuration FunctionName=MyFunction", "Configuration FunctionArn="+function,
		"Configuration Version=$LATEST", "Configuration State=Active", "Configuration LastUpdateStatus=Successful", "Configuration LastModified~"+lambdaTime, "Configuration RevisionId~"+uuid,
		"Code RepositoryType=S3")
	describesMachines(t, c)
}

// describesMachines finds the workflow as the post does, in the stack.
func describesMachines(t *testing.T, c cli) {
	arn := c.aws.env["STATE_MACHINE_ARN"]
	const line = "cloudformation describe-stack-resources --stack-name LambdaRollout --output text"
	out := c.expect(t, line)
	i := slices.IndexFunc(strings.Split(out, "\n"), func(row string) bool { return strings.Contains(row+"\t", "\t"+arn+"\t") })
	if i < 0 {
		t.Fatalf("aws %s: %s; want a row with %s", line, out, arn)
	}
	id := strings.Split(strings.Split(out, "\n")[i], "\t")[1]
	row := c.expect(t, line+" --logical-resource-id "+id)
	if columns := strings.Split(row, "\t"); len(columns) < 3 || columns[2] != arn { // the post takes it with cut -f3
		t.Errorf("aws %s --logical-resource-id %s: %s; want %s in the third column", line, id, row, arn)
	}
}
