package lambdarollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
)

// permits decides each function's permissions and environment variables.
type permits struct {
	workflow workflow
	optIn    OptIn
	gates    []string // sorted, each once
	topics   []string // ARNs of topics that requests may name; sorted, each once
	own      *string  // the ARN of the topic for notifications of every rollout

	undelivered *string     // the ARN of the queue of the cleanup's failed calls
	key         awskms.IKey // encrypts the topic and the queues; may be nil

	// The ARNs of the state machine, and of the queue of requests that Lambda gave up:
	// for the function StackRollout alone.
	machine, givenUp *string
}

// ownExecutions is the reason for the wildcard in the ARN of a machine's executions.
const ownExecutions = "only the executions of this state machine, whose names are chosen when they are started"

// trace returns a grant to send traces to X-Ray.
func trace() grant {
	return allow([]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, jsii.String("*")).
		because("sending traces to X-Ray can't be restricted to a resource")
}

// statements returns what a function may do beyond writing its own log and traces. It
// panics for an unknown function.
func (p permits) statements(function string) []grant {
	stack := p.workflow.stack
	move := p.optIn.onFunctions(stack, "lambda:GetAlias", "lambda:UpdateAlias")
	inspect := p.optIn.onQualified(stack, "lambda:GetFunctionConfiguration", "lambda:GetProvisionedConcurrencyConfig")
	observe := func(actions ...string) grant {
		return allow(actions, jsii.String("*")).because("reading metrics can be restricted neither to a resource nor to a namespace, " +
			"and the states of composite alarms are shown only to those who may read all alarms")
	}
	judge := append([]grant{
		observe("cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"),
		// Operators' orders to a running rollout: each is a version of the rollout's
		// own parameter, and IAM decides who may write it. Nothing else is kept there.
		allow([]string{"ssm:GetParameterHistory"},
			p.workflow.arnOf("ssm", "parameter", "lambda-rollout/*", awscdk.ArnFormat_SLASH_RESOURCE_NAME)).
			because("only the parameters of orders to rollouts, of which each rollout has one"),
	}, gateStatements(p.workflow, p.optIn, p.gates)...)
	notify := notifyStatements(p.workflow, append([]*string{p.own}, *jsii.Strings(p.topics...)...))
	toTopic := useKey(p.workflow, p.key, "sns")
	allocations := p.optIn.onQualified(stack, "lambda:GetProvisionedConcurrencyConfig")
	// Permissions to move provisioned concurrency between versions, if that is enabled.
	ifMoved := func(grants ...grant) []grant {
		if !slices.Contains(p.gates, ProvisionedConcurrency) {
			return nil
		}
		return grants
	}
	provision := func(actions ...string) grant { return p.optIn.onVersions(stack, actions...) }
	const allocate, release = "lambda:PutProvisionedConcurrencyConfig", "lambda:DeleteProvisionedConcurrencyConfig"
	switch function {
	case calculateTask:
		return []grant{
			p.optIn.onFunctions(stack, "lambda:GetAlias"), inspect, observe("cloudwatch:DescribeAlarms"),
			// The owner's history proves that a long rollout continues in an execution.
			allow([]string{"states:GetExecutionHistory"}, p.workflow.executions()).because(ownExecutions),
			// The release of a member proves that it has started the member.
			allow([]string{"states:DescribeExecution"}, p.workflow.releases().executions()).because(ownExecutions),
		}
	case updateTask:
		return slices.Concat([]grant{move}, ifMoved(allocations, provision(allocate, release)), notify, toTopic)
	case healthTask:
		return slices.Concat(judge, []grant{p.decisions("ssm:GetParameters")}, notify, toTopic)
	case rollbackTask:
		// The cleanup looks for executions of this machine that ended badly.
		return slices.Concat([]grant{
			move,
			allow([]string{"states:ListExecutions"}, p.workflow.arn()),
			allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, p.workflow.executions()).because(ownExecutions),
			// With this role Lambda sends the calls that it gives up.
			allow([]string{"sqs:SendMessage"}, p.undelivered),
		}, ifMoved(allocations, provision(release)), notify, useKey(p.workflow, p.key, "sns", "sqs"))
	case finalizeTask:
		// AWS moves an alias's provisioned concurrency, and Finalize waits for that.
		return slices.Concat([]grant{move, allocations}, ifMoved(provision(release)))
	case simpleDeploy:
		// All that the tasks may do, except the cleanup: it is not an execution.
		return slices.Concat([]grant{move, inspect}, ifMoved(provision(allocate, release)), judge, notify, toTopic)
	case planReleaseTask, checkReleaseTask, revertReleaseTask:
		return p.releaseStatements(function, move, inspect, observe("cloudwatch:DescribeAlarms"), notify)
	case stackRollout:
		return slices.Concat(p.stackStatements(), useKey(p.workflow, p.key, "sqs"))
	}
	panic(fmt.Errorf("function %q has no permissions: add them to permits.statements", function))
}

// environment returns a function's environment variables. GATES are the gates that
// are enabled, TOPICS the ARNs of the topics that requests may name; both are separated
// by commas, and missing if there are none. TOPIC_ARN is the topic for notifications of
// every rollout. METRICS_NAMESPACE is the namespace of the metrics in the logs.
// STATE_MACHINE_ARN is what StackRollout and releases start, RECORDS_PATH where
// StackRollout keeps the requests of stacks in Parameter Store, and RELEASE_MACHINE_ARN
// the state machine whose releases CalculateWeights believes. The others are
// statemachine.RuntimeSettings.
func (p permits) environment(function string) *map[string]*string {
	checks := slices.Contains([]string{calculateTask, simpleDeploy, planReleaseTask}, function)
	notifies := slices.Contains([]string{updateTask, healthTask, rollbackTask, simpleDeploy, checkReleaseTask}, function)
	variables := map[string]*string{"METRICS_NAMESPACE": jsii.String(p.workflow.namespace())}
	for name, value := range statemachine.RuntimeSettings() {
		variables[name] = jsii.String(value)
	}
	if checks && len(p.gates) > 0 {
		variables["GATES"] = jsii.String(strings.Join(p.gates, ","))
	}
	if (checks || notifies) && len(p.topics) > 0 {
		variables["TOPICS"] = jsii.String(strings.Join(p.topics, ","))
	}
	if notifies {
		variables["TOPIC_ARN"] = p.own
	}
	switch function {
	case calculateTask:
		variables["RELEASE_MACHINE_ARN"] = p.workflow.releases().arn()
	case checkReleaseTask, revertReleaseTask:
		variables["STATE_MACHINE_ARN"] = p.workflow.arn()
	case stackRollout:
		variables["STATE_MACHINE_ARN"] = p.machine
		variables["RECORDS_PATH"] = jsii.String(p.workflow.recordsPath())
	}
	return &variables
}
