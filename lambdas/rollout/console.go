package rollout

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
)

// ConsoleURL returns the URL of an execution, given by its ARN, in the console; "" if it
// is unknown.
func ConsoleURL(execution string) string {
	id, ok := arn.Parse(execution)
	if !ok || strings.Count(id.Resource, ":") < 2 {
		return ""
	}
	host, known := map[string]string{
		"aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com",
	}[id.Partition]
	if !known {
		return ""
	}
	return fmt.Sprintf("https://%s/states/home?region=%s#/v2/executions/details/%s", host, id.Region, strings.ReplaceAll(url.PathEscape(execution), "@", "%40"))
}
