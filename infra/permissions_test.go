package main

import (
	"fmt"
	"maps"
	"slices"
)

const (
	trustsLambda = "trusts lambda.amazonaws.com"
	trustsStates = `trusts states.amazonaws.com if {"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}}`

	everyFunction = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"
	ifTagged      = ` if {"StringEquals":{"aws:ResourceTag/lambda-rollout":"enabled"}}`

	// machine is the state machine's name, which policies have before it exists.
	machine    = "LambdaRollout731340B9"
	local      = "${AWS::Region}:${AWS::AccountId}:"
	theMachine = "arn:${AWS::Partition}:states:" + local + "stateMachine:" + machine
	executions = "arn:${AWS::Partition}:states:" + local + "execution:" + machine + ":*"

	releases          = machine + "-releases"
	theReleases       = "arn:${AWS::Partition}:states:" + local + "stateMachine:" + releases
	releaseExecutions = "arn:${AWS::Partition}:states:" + local + "execution:" + releases + ":*"
	decisions         = " on arn:${AWS::Partition}:ssm:" + local + "parameter/lambda-rollout-releases/" + releases + "/*"

	mayLog     = "Allow logs:CreateLogStream, logs:PutLogEvents on ${%sLogs.Arn}"
	orders     = "Allow ssm:GetParameterHistory on arn:${AWS::Partition}:ssm:" + local + "parameter/lambda-rollout/*"
	mayPublish = "Allow sns:Publish on ${Topic}"
	mayPut     = "Allow events:PutEvents on arn:${AWS::Partition}:events:" + local + "event-bus/default"

	mayBeInstructed = "Allow ssm:GetParameters" + decisions

	mayTrace = "Allow xray:PutTraceSegments, xray:PutTelemetryRecords on *"

	// Of both state machines.
	mayRuleNested  = "Allow events:PutTargets, events:PutRule, events:DescribeRule on arn:${AWS::Partition}:events:" + local + "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
	mayDeliverLogs = "Allow logs:CreateLogDelivery, logs:GetLogDelivery, logs:UpdateLogDelivery, logs:DeleteLogDelivery, logs:ListLogDeliveries, logs:PutResourcePolicy, logs:DescribeResourcePolicies, logs:DescribeLogGroups on *"
	mayTraceStates = "Allow xray:PutTraceSegments, xray:PutTelemetryRecords, xray:GetSamplingRules, xray:GetSamplingTargets on *"

	mayInvoke = "Allow lambda:InvokeFunction on ${%s.Arn} by events.amazonaws.com"
	maySend   = `Allow sqs:SendMessage on ${UndeliveredCleanups.Arn} by events.amazonaws.com if {"ArnEquals":{"aws:SourceArn":{"Fn::GetAtt":["%s","Arn"]}}}`
)

// mayDo has all permissions by default: of each function, of the state machine and of
// the rules, and those in the policies of the queue and the topic.
var mayDo = map[string][]string{
	"CalculateWeights": {
		trustsLambda,
		fmt.Sprintf(mayLog, "CalculateWeights"),
		"Allow lambda:GetAlias on " + everyFunction + ifTagged,
		"Allow lambda:GetFunctionConfiguration, lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		"Allow cloudwatch:DescribeAlarms on *",
		"Allow states:GetExecutionHistory on " + executions,
		"Allow states:DescribeExecution on " + releaseExecutions,
		mayTrace,
	},
	"UpdateAlias": {
		trustsLambda,
		fmt.Sprintf(mayLog, "UpdateAlias"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		mayPublish,
		mayPut,
		mayTrace,
	},
	"HealthCheck": {
		trustsLambda,
		fmt.Sprintf(mayLog, "HealthCheck"),
		"Allow cloudwatch:GetMetricData, cloudwatch:DescribeAlarms on *",
		orders,
		mayBeInstructed,
		mayPublish,
		mayPut,
		mayTrace,
	},
	"Rollback": {
		trustsLambda,
		fmt.Sprintf(mayLog, "Rollback"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		"Allow states:ListExecutions on " + theMachine,
		"Allow states:DescribeExecution, states:GetExecutionHistory on " + executions,
		"Allow sqs:SendMessage on ${UndeliveredCleanups.Arn}",
		mayPublish,
		mayPut,
		mayTrace,
	},
	"Finalize": {
		trustsLambda,
		fmt.Sprintf(mayLog, "Finalize"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		"Allow lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		mayTrace,
	},
	"StateMachine": {
		trustsStates,
		"Allow lambda:InvokeFunction on ${CalculateWeights.Arn}, ${UpdateAlias.Arn}, ${HealthCheck.Arn}, ${Rollback.Arn}, ${Finalize.Arn}",
		"Allow states:StartExecution on " + theMachine,
		"Allow states:DescribeExecution, states:StopExecution on " + executions,
		mayRuleNested,
		mayDeliverLogs,
		mayTraceStates,
	},
	"PlanRelease": {
		trustsLambda,
		fmt.Sprintf(mayLog, "PlanRelease"),
		"Allow lambda:GetAlias on " + everyFunction + ifTagged,
		"Allow lambda:GetFunctionConfiguration, lambda:GetProvisionedConcurrencyConfig on " + everyFunction + ifTagged,
		"Allow cloudwatch:DescribeAlarms on *",
		"Allow states:DescribeExecution, states:GetExecutionHistory on " + releaseExecutions,
		mayTrace,
	},
	"CheckRelease": {
		trustsLambda,
		fmt.Sprintf(mayLog, "CheckRelease"),
		"Allow cloudwatch:DescribeAlarms on *",
		"Allow states:DescribeExecution, states:GetExecutionHistory on " + releaseExecutions,
		"Allow states:DescribeExecution, states:GetExecutionHistory on " + executions,
		"Allow states:StartExecution on " + theMachine + ", " + theReleases,
		"Allow states:ListExecutions on " + theReleases,
		"Allow ssm:GetParameterHistory on arn:${AWS::Partition}:ssm:" + local + "parameter/lambda-rollout/releases/*",
		"Allow ssm:GetParameters, ssm:PutParameter, ssm:DeleteParameters" + decisions,
		"Allow sqs:SendMessage on ${UndeliveredCleanups.Arn}",
		mayPublish,
		mayPut,
		mayTrace,
	},
	"RevertRelease": {
		trustsLambda,
		fmt.Sprintf(mayLog, "RevertRelease"),
		"Allow lambda:GetAlias, lambda:UpdateAlias on " + everyFunction + ifTagged,
		"Allow states:DescribeExecution, states:GetExecutionHistory on " + executions,
		mayTrace,
	},
	"ReleaseStateMachine": {
		trustsStates,
		"Allow lambda:InvokeFunction on ${PlanRelease.Arn}, ${CheckRelease.Arn}, ${RevertRelease.Arn}",
		"Allow states:StartExecution on " + theReleases,
		"Allow states:DescribeExecution, states:StopExecution on " + releaseExecutions,
		mayRuleNested,
		mayDeliverLogs,
		mayTraceStates,
	},
	"Ended":        {fmt.Sprintf(mayInvoke, "Rollback")},
	"Sweep":        {fmt.Sprintf(mayInvoke, "Rollback")},
	"ReleaseEnded": {fmt.Sprintf(mayInvoke, "CheckRelease")},
	"ReleaseSweep": {fmt.Sprintf(mayInvoke, "CheckRelease")},
	"Topic":        {`Deny sns:Publish on ${Topic} by * if {"Bool":{"aws:SecureTransport":"false"}}`},
	"UndeliveredCleanups": {
		`Deny sqs:* on ${UndeliveredCleanups.Arn} by {"AWS":"*"} if {"Bool":{"aws:SecureTransport":"false"}}`,
		fmt.Sprintf(maySend, "ReleaseEnded"),
		fmt.Sprintf(maySend, "ReleaseSweep"),
		fmt.Sprintf(maySend, "Ended"),
		fmt.Sprintf(maySend, "Sweep"),
	},
}

// mayDoByDefault returns a copy of mayDo, which the caller may change.
func mayDoByDefault() map[string][]string {
	may := maps.Clone(mayDo)
	for name, statements := range may {
		may[name] = slices.Clone(statements)
	}
	return may
}
