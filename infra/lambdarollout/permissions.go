package lambdarollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// permits decides what each function may do, and what it is told of that.
type permits struct {
	workflow workflow
	optIn    OptIn
	gates    []string // sorted, each once
	topics   []string // ARNs of those that requests may name, likewise
	own      *string  // the ARN of the topic that every rollout is told to

	undelivered *string     // the ARN of the queue of the cleanup's calls that were given up
	key         awskms.IKey // encrypts the topic and the queue; nil without one
}

// ownExecutions is why a wildcard ends the ARN of a machine's executions.
const ownExecutions = "the executions of this state machine alone: their names are their starters' choice"

// trace lets a function send its traces to X-Ray.
func trace() grant {
	return allow([]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, jsii.String("*")).
		because("X-Ray knows no resource that the sending of traces could be narrowed to")
}

// statements returns what a function may do beyond writing its own log and
// traces. It panics for one that it does not know, rather than guess.
func (p permits) statements(function string) []grant {
	stack := p.workflow.stack
	move := p.optIn.onFunctions(stack, "lambda:GetAlias", "lambda:UpdateAlias")
	inspect := p.optIn.onQualified(stack, "lambda:GetFunctionConfiguration", "lambda:GetProvisionedConcurrencyConfig")
	observe := func(actions ...string) grant {
		return allow(actions, jsii.String("*")).because("IAM can narrow the reading of metrics neither to a resource nor to a namespace, " +
			"and CloudWatch tells the states of composite alarms only to those who may read all alarms")
	}
	judge := append([]grant{
		observe("cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"),
		// People's orders to a rollout under way: each is a version of the rollout's
		// own parameter, and IAM says who may write it. Nothing else is kept there.
		allow([]string{"ssm:GetParameterHistory"},
			p.workflow.arnOf("ssm", "parameter", "lambda-rollout/*", awscdk.ArnFormat_SLASH_RESOURCE_NAME)).
			because("every rollout has a parameter of its own there, and nothing else is kept there"),
	}, gateStatements(p.workflow, p.optIn, p.gates)...)
	tell := tellStatements(p.workflow, append([]*string{p.own}, *jsii.Strings(p.topics...)...))
	toTopic := useKey(p.workflow, p.key, "sns")
	allocations := p.optIn.onQualified(stack, "lambda:GetProvisionedConcurrencyConfig")
	// What moves provisioned concurrency from version to version, only if that is allowed.
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
			// That a long rollout goes on in an execution is for its owner's history to say.
			allow([]string{"states:GetExecutionHistory"}, p.workflow.executions()).because(ownExecutions),
		}
	case updateTask:
		return slices.Concat([]grant{move}, ifMoved(allocations, provision(allocate, release)), tell, toTopic)
	case healthTask:
		return slices.Concat(judge, tell, toTopic)
	case rollbackTask:
		// The cleanup finds what to put back by the executions of this machine.
		return slices.Concat([]grant{
			move,
			allow([]string{"states:ListExecutions"}, p.workflow.arn()),
			allow([]string{"states:DescribeExecution", "states:GetExecutionHistory"}, p.workflow.executions()).because(ownExecutions),
			// By this role Lambda hands over the calls that it gives up.
			allow([]string{"sqs:SendMessage"}, p.undelivered),
		}, ifMoved(allocations, provision(release)), tell, useKey(p.workflow, p.key, "sns", "sqs"))
	case finalizeTask:
		// An alias's own provisioned concurrency is AWS's to move, and Finalize's to wait for.
		return slices.Concat([]grant{move, allocations}, ifMoved(provision(release)))
	case simpleDeploy:
		// All that the tasks may, but for the cleanup: it is no execution.
		return slices.Concat([]grant{move, inspect}, ifMoved(provision(allocate, release)), judge, tell, toTopic)
	}
	panic(fmt.Errorf("function %q has no permissions: say in permits.statements what it may do", function))
}

// environment returns a function's environment variables. GATES are the gates
// that a request may ask for, TOPICS the ARNs of the topics that it may name,
// both separated by commas, and missing if there are none. TOPIC_ARN is the
// topic that every rollout is told to. METRICS_NAMESPACE is where the metrics
// belong that functions write in their logs.
func (p permits) environment(function string) *map[string]*string {
	checks := function == calculateTask || function == simpleDeploy
	tells := slices.Contains([]string{updateTask, healthTask, rollbackTask, simpleDeploy}, function)
	variables := map[string]*string{"METRICS_NAMESPACE": jsii.String(p.workflow.namespace())}
	if checks && len(p.gates) > 0 {
		variables["GATES"] = jsii.String(strings.Join(p.gates, ","))
	}
	if (checks || tells) && len(p.topics) > 0 {
		variables["TOPICS"] = jsii.String(strings.Join(p.topics, ","))
	}
	if tells {
		variables["TOPIC_ARN"] = p.own
	}
	return &variables
}
