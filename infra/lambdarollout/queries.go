package lambdarollout

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newQueries saves queries of the functions' logs in Logs Insights, in a folder with
// the machine's name. Each log line is a JSON object: msg names the event, and the
// other fields are its details.
func newQueries(scope constructs.Construct, w workflow, functions map[string]awslambda.Function) {
	query := func(id, name string, of []string, filter string, fields ...string) {
		groups := []interfacesawslogs.ILogGroupRef{}
		for _, function := range of {
			if functions[function] != nil {
				groups = append(groups, functions[function].LogGroup())
			}
		}
		awslogs.NewQueryDefinition(scope, jsii.String(id), &awslogs.QueryDefinitionProps{
			QueryDefinitionName: jsii.String(w.name + "/" + name),
			LogGroups:           &groups,
			QueryString: awslogs.NewQueryString(&awslogs.QueryStringProps{
				Fields:           jsii.Strings(append([]string{"@timestamp"}, fields...)...),
				FilterStatements: jsii.Strings(filter),
				Sort:             jsii.String("@timestamp desc"),
				Limit:            jsii.Number(1000),
			}),
		})
	}
	query("WhyRolledBack", "Why rollouts were rolled back", []string{rollbackTask, simpleDeploy},
		`msg = "rolled back"`,
		"function", "alias", "version", "reason", "execution")
	query("Decisions", "Decisions of one execution (put in its name)", []string{healthTask, simpleDeploy},
		`msg = "checked" and execution like "EXECUTION"`,
		"function", "alias", "phase", "step", "weight", "decision", "reason")
	query("Cleanups", "What the cleanup did", []string{rollbackTask},
		`msg in ["cleaned up", "left as it is", "not cleaned up", "notified", "not notified"]`,
		"msg", "execution", "event", "reason", "error")
	query("Releases", "What releases decided and did", []string{checkReleaseTask, revertReleaseTask},
		`msg in ["release checked", "release not checked", "release not reverted", "member looked at", "concluding a release"]`,
		"msg", "execution", "release", "decision", "reason", "member", "found", "error")
	query("TaskErrors", "Errors of the tasks", slices.Sorted(maps.Keys(functions)),
		`ispresent(error) or @message like /Task timed out|Runtime exited/`,
		"@log", "level", "msg", "execution", "phase", "error", "@message")
}
