package localaws

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// TestPutMetricDataRefusesInCloudWatchsWords, as users of AWS have reported them.
func TestPutMetricDataRefusesInCloudWatchsWords(t *testing.T) {
	datum := func(change func(*types.MetricDatum)) types.MetricDatum {
		d := types.MetricDatum{MetricName: aws.String("m"), Value: aws.Float64(1)}
		change(&d)
		return d
	}
	old := func(d *types.MetricDatum) { d.Timestamp = aws.Time(noon.AddDate(0, 0, -15)) }
	fine := func(*types.MetricDatum) {}
	for want, changes := range map[string][]func(*types.MetricDatum){
		"InvalidParameterValue: The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.": {old},
		"InvalidParameterValue: The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.\n" +
			"The parameter MetricData.member.3.Timestamp must specify a time within the past two weeks.": {old, fine, old},
		"InvalidParameterValue: The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.": {func(d *types.MetricDatum) { d.Timestamp = aws.Time(noon.Add(3 * time.Hour)) }},
		"MissingParameter: The parameter MetricData.member.2.Dimensions.member.1.Value is required.": {fine, func(d *types.MetricDatum) {
			d.Dimensions = []types.Dimension{{Name: aws.String("n"), Value: aws.String("")}}
		}},
		"InvalidParameterCombination: The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have specified both.": {func(d *types.MetricDatum) {
			d.StatisticValues = &types.StatisticSet{SampleCount: aws.Float64(1), Sum: aws.Float64(1), Minimum: aws.Float64(1), Maximum: aws.Float64(1)}
		}},
		"InvalidParameterValue: The collection MetricData.member.1.Values must not have a size greater than 150.": {func(d *types.MetricDatum) {
			d.Value, d.Values = nil, make([]float64, 151)
		}},
		"InvalidParameterValue: The parameter MetricData.member.1.Unit must be a value in the set [ Seconds, Microseconds, ": {func(d *types.MetricDatum) { d.Unit = "Parsec" }},
		"InvalidParameterValue: The collection MetricData must not have a size greater than 1000.":                           make([]func(*types.MetricDatum), 1001),
	} {
		w := newWorld(t, Options{})
		in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("n")}
		for _, change := range changes {
			if change == nil {
				change = fine
			}
			in.MetricData = append(in.MetricData, datum(change))
		}
		_, err := w.cloudwatch.PutMetricData(t.Context(), in)
		code, _ := outcome(err)
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, code+": ")) || !strings.HasPrefix(want, code) {
			t.Errorf("%v, want %s", err, want)
		}
		if strings.HasSuffix(want, ".") && !strings.HasSuffix(err.Error(), want[len(want)-20:]) {
			t.Errorf("%v has more than %s", err, want)
		}
		if got := recorded(w.Server, "n"); got != "" {
			t.Errorf("refused data are recorded: %s", got)
		}
	}
}
