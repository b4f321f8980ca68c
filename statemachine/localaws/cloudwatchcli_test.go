package localaws

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// everyAWSCLI returns the programs "aws" on the path. Their versions speak different protocols to CloudWatch: version 2.9 the
// query protocol, version 1.45 AWS JSON.
func everyAWSCLI() (programs []string) {
	seen := map[string]bool{}
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		program, err := exec.LookPath(filepath.Join(folder, "aws"))
		if err != nil {
			continue
		}
		if file, err := filepath.EvalSymlinks(program); err == nil && !seen[file] {
			seen[file] = true
			programs = append(programs, program)
		}
	}
	return programs
}

// TestCloudWatchByTheAWSCLI has each AWS CLI of this machine put, list and read metrics and alarms.
func TestCloudWatchByTheAWSCLI(t *testing.T) {
	t.Parallel()
	programs := everyAWSCLI()
	if len(programs) == 0 {
		t.Skip("the AWS CLI is not installed, so that it cannot be tried: see https://aws.amazon.com/cli/")
	}
	words := func(line string) []string { return strings.Fields(line) }
	minute := time.Now().Add(-5 * time.Minute).Truncate(time.Minute)
	span := words("--start-time " + minute.UTC().Format(time.RFC3339) + " --end-time " + minute.Add(time.Minute).UTC().Format("2006-01-02T15:04:05"))
	steps := []cliStep{
		{command: append(words("cloudwatch put-metric-data --namespace Shop --metric-data"),
			`[{"MetricName":"Wait","Unit":"Seconds","Timestamp":"`+minute.UTC().Format(time.RFC3339)+`","Values":[1.5,2],"Counts":[2,1],"Dimensions":[{"Name":"Country","Value":"A & <T>"}]}]`)},
		{command: append(words("cloudwatch list-metrics --namespace Shop --metric-name Wait --dimensions"), "Name=Country"), field: "Metrics.0.Dimensions.0.Value", want: "A & <T>"},
		{command: append(append(words("cloudwatch get-metric-statistics --namespace Shop --metric-name Wait --period 60 --statistics Sum SampleCount --extended-statistics p100 --dimensions"), "Name=Country,Value=A & <T>"), span...),
			field: "Datapoints.0.Sum", want: "5"},
		{command: append(append(words("cloudwatch get-metric-data --metric-data-queries"),
			`[{"Id":"m","ReturnData":false,"MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Wait","Dimensions":[{"Name":"Country","Value":"A & <T>"}]},"Period":60,"Stat":"Average","Unit":"Seconds"}},{"Id":"e","Expression":"m * 3"}]`), span...),
			field: "MetricDataResults.0.Values.0", want: "5"},
		{command: words("cloudwatch set-alarm-state --alarm-name red --state-value OK --state-reason drill")},
		{command: words("cloudwatch describe-alarms --alarm-names red"), field: "MetricAlarms.0.StateReason", want: "drill"},
		{command: words("cloudwatch set-alarm-state --alarm-name gone --state-value OK --state-reason drill"), fails: true, want: "(ResourceNotFound"},
		{command: words("cloudwatch list-dashboards"), fails: true, want: "when calling the ListDashboards operation: "},
	}
	var all sync.WaitGroup
	for _, program := range programs {
		s := New(Options{})
		check(t, s.AddAlarm("red", false))
		socket := httptest.NewServer(s)
		t.Cleanup(socket.Close)
		cli := awsCLI{program, socket.URL, t.TempDir()}
		all.Go(func() { cli.follow(t, steps) })
	}
	all.Wait()
}
