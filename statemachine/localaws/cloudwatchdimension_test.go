package localaws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// TestDimensionsThatCloudWatchRefuses are refused in queries, as they could never have data.
func TestDimensionsThatCloudWatchRefuses(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	client := cloudwatch.NewFromConfig(localaws.New(localaws.Options{Now: func() time.Time { return now }}).Config())
	for _, test := range []struct {
		name, value string
		taken       bool
	}{
		{"A", "x", true}, {" A:", ": x~", true}, {strings.Repeat("d", 255), strings.Repeat("v", 1024), true},
		{"A", "Größe", false}, {"Größe", "x", false}, {"A", " ", false}, {" ", "x", false}, {":A", "x", false}, {"A", "a\nb", false},
		{"A\x7f", "x", false}, {strings.Repeat("d", 256), "x", false}, {"A", strings.Repeat("v", 1025), false}, {"", "x", false}, {"A", "", false},
	} {
		_, err := client.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now,
			MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("m"), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String("N"), MetricName: aws.String("M"), Dimensions: []types.Dimension{{Name: &test.name, Value: &test.value}}},
				Period: aws.Int32(60), Stat: aws.String("Sum"),
			}}},
		})
		if (err == nil) != test.taken {
			t.Errorf("%.20q: %.20q: %v", test.name, test.value, err)
		}
	}
}
