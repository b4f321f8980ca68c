package localaws

import (
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
)

// cloudWatchPath is the path prefix of CloudWatch's operations in Smithy's RPC v2 protocol.
const cloudWatchPath = "/service/GraniteServiceVersion20100801/operation/"

// cloudWatchOperations are CloudWatch's operations, by name.
var cloudWatchOperations = map[string]cloudWatchOperation{
	"GetMetricData":           typedOperation[getMetricDataInput]{"GetMetricData", schemas.GetMetricDataInput, schemas.GetMetricDataOutput, (*cloudWatchService).getMetricData},
	"GetMetricStatistics":     typedOperation[cloudwatch.GetMetricStatisticsInput]{"GetMetricStatistics", schemas.GetMetricStatisticsInput, schemas.GetMetricStatisticsOutput, (*cloudWatchService).getMetricStatistics},
	"ListMetrics":             typedOperation[cloudwatch.ListMetricsInput]{"ListMetrics", schemas.ListMetricsInput, schemas.ListMetricsOutput, (*cloudWatchService).listMetrics},
	"PutMetricData":           typedOperation[putMetricDataInput]{"PutMetricData", schemas.PutMetricDataInput, nil, (*cloudWatchService).putMetricData},
	"DescribeAlarms":          typedOperation[cloudwatch.DescribeAlarmsInput]{"DescribeAlarms", schemas.DescribeAlarmsInput, schemas.DescribeAlarmsOutput, (*cloudWatchService).describeAlarms},
	"DescribeAlarmHistory":    typedOperation[cloudwatch.DescribeAlarmHistoryInput]{"DescribeAlarmHistory", schemas.DescribeAlarmHistoryInput, schemas.DescribeAlarmHistoryOutput, (*cloudWatchService).describeAlarmHistory},
	"DescribeAlarmsForMetric": typedOperation[cloudwatch.DescribeAlarmsForMetricInput]{"DescribeAlarmsForMetric", schemas.DescribeAlarmsForMetricInput, schemas.DescribeAlarmsForMetricOutput, (*cloudWatchService).describeAlarmsForMetric},
	"PutMetricAlarm":          typedOperation[cloudwatch.PutMetricAlarmInput]{"PutMetricAlarm", schemas.PutMetricAlarmInput, nil, (*cloudWatchService).putMetricAlarm},
	"PutCompositeAlarm":       typedOperation[cloudwatch.PutCompositeAlarmInput]{"PutCompositeAlarm", schemas.PutCompositeAlarmInput, nil, (*cloudWatchService).putCompositeAlarm},
	"DeleteAlarms":            typedOperation[cloudwatch.DeleteAlarmsInput]{"DeleteAlarms", schemas.DeleteAlarmsInput, nil, (*cloudWatchService).deleteAlarms},
	"SetAlarmState":           typedOperation[cloudwatch.SetAlarmStateInput]{"SetAlarmState", schemas.SetAlarmStateInput, nil, (*cloudWatchService).setAlarmState},
	"EnableAlarmActions":      typedOperation[cloudwatch.EnableAlarmActionsInput]{"EnableAlarmActions", schemas.EnableAlarmActionsInput, nil, (*cloudWatchService).enableAlarmActions},
	"DisableAlarmActions":     typedOperation[cloudwatch.DisableAlarmActionsInput]{"DisableAlarmActions", schemas.DisableAlarmActionsInput, nil, (*cloudWatchService).disableAlarmActions},
}

var cloudWatchOperationNames = slices.Sorted(maps.Keys(cloudWatchOperations))

// needs implements service: operations on alarms that the request names need the permission on those, and the others on "*".
// DescribeAlarms can be restricted to alarms, but it returns composite alarms only to principals that may read all of them, so
// it needs "*" here.
func (f cloudWatchFace) needs(operation string, r *request) ([]need, *apiError) {
	on := func(resource string) need { return need{"cloudwatch:" + operation, resource, false} }
	switch operation {
	case "PutMetricAlarm", "PutCompositeAlarm", "DeleteAlarms", "SetAlarmState", "EnableAlarmActions", "DisableAlarmActions", "DescribeAlarmHistory":
	default:
		return []need{on("*")}, nil
	}
	copied := *r // decompressed for reading only
	if err := unzip(&copied); err != nil {
		return nil, malformed(err)
	}
	in, err := cloudWatchOperations[operation].input(f.wire, &copied)
	if err != nil {
		return nil, err
	}
	var all []need
	for _, field := range []string{"AlarmName", "AlarmNames"} {
		switch named := reflect.ValueOf(in).Elem().FieldByName(field); {
		case !named.IsValid() || named.IsZero():
		case named.Kind() == reflect.Slice:
			for _, name := range named.Interface().([]string) {
				all = append(all, on(f.alarmARN(name)))
			}
		default:
			all = append(all, on(f.alarmARN(named.Elem().String())))
		}
	}
	if len(all) == 0 {
		all = []need{on(f.alarmARN("*"))}
	}
	return all, nil
}
