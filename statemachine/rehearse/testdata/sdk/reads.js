// Has a rollout rolled back on an AWS whose time stands still, and reads what is there with the AWS SDK for JavaScript. Prints as
// JSON what AWS answered; a date as "date", if it is one of the SDK's.
const cloudformation = require('@aws-sdk/client-cloudformation');
const cloudwatch = require('@aws-sdk/client-cloudwatch');
const logs = require('@aws-sdk/client-cloudwatch-logs');
const lambda = require('@aws-sdk/client-lambda');
const sfn = require('@aws-sdk/client-sfn');
const sns = require('@aws-sdk/client-sns');
const ssm = require('@aws-sdk/client-ssm');
const sts = require('@aws-sdk/client-sts');

const stateMachineArn = process.env.STATE_MACHINE_ARN;
const FunctionName = 'MyFunction';
const functions = new lambda.LambdaClient({});
const machines = new sfn.SFNClient({});
const metrics = new cloudwatch.CloudWatchClient({});
const kind = (value) => (value instanceof Date ? 'date' : typeof value);
const errorOf = (promise) => promise.then(() => 'no error', (e) => ({ name: e.name, message: e.message, status: e.$metadata?.httpStatusCode }));
const advance = (seconds) => fetch(process.env.AWS_ENDPOINT_URL + '/_lambda-rollout/time', { method: 'POST', body: JSON.stringify({ advance: seconds }) });

async function alarmOf() {
  const answer = await metrics.send(new cloudwatch.DescribeAlarmsCommand({ AlarmNamePrefix: 'LambdaRollout-RolloutExecutionsFailed' }));
  return answer.MetricAlarms[0];
}

async function alarms(out) {
  await advance(180);
  out.before = (await alarmOf()).StateValue;
  const input = JSON.stringify({ 'function-name': FunctionName, 'alias-name': 'MyAlias', 'new-version': '2', steps: 10, interval: 120, type: 'linear' });
  const { executionArn, startDate } = await machines.send(new sfn.StartExecutionCommand({ stateMachineArn, name: 'bad', input }));
  let alarm;
  for (let i = 0; i < 6 && alarm?.StateValue !== 'ALARM'; i++) {
    await advance(60);
    alarm = await alarmOf();
  }
  out.alarm = {
    state: alarm.StateValue, updated: kind(alarm.StateUpdatedTimestamp), threshold: alarm.Threshold, period: alarm.Period,
    metric: alarm.Namespace + ' ' + alarm.MetricName, dimension: alarm.Dimensions[0].Value === stateMachineArn,
  };
  const ended = await machines.send(new sfn.DescribeExecutionCommand({ executionArn }));
  out.execution = { started: kind(startDate), stopped: kind(ended.stopDate), status: ended.status, error: ended.error };
  const data = await metrics.send(new cloudwatch.GetMetricDataCommand({
    StartTime: startDate, EndTime: ended.stopDate, MetricDataQueries: [{
      Id: 'm', MetricStat: { Metric: { Namespace: alarm.Namespace, MetricName: alarm.MetricName, Dimensions: alarm.Dimensions }, Period: 60, Stat: 'Sum' },
    }],
  }));
  const result = data.MetricDataResults[0];
  out.data = { id: result.Id, label: result.Label, status: result.StatusCode, values: result.Values, at: kind(result.Timestamps[0]), messages: data.Messages };
  const set = (AlarmName) => metrics.send(new cloudwatch.SetAlarmStateCommand({ AlarmName, StateValue: 'OK', StateReason: 'seen' }));
  await set(alarm.AlarmName);
  const after = await alarmOf();
  out.set = after.StateValue + ' ' + after.StateReason;
  out.noAlarm = (await errorOf(set('nothing'))).name;
}

async function reads(out) {
  const stack = await new cloudformation.CloudFormationClient({}).send(new cloudformation.DescribeStackResourcesCommand({ StackName: 'LambdaRollout' }));
  out.stack = stack.StackResources.filter((r) => r.PhysicalResourceId === stateMachineArn).map((r) => r.ResourceType + ' ' + r.ResourceStatus + ' ' + kind(r.Timestamp));
  const listed = (await machines.send(new sfn.ListStateMachinesCommand({}))).stateMachines[0];
  out.machines = { own: listed.stateMachineArn === stateMachineArn, name: listed.name, type: listed.type, created: kind(listed.creationDate) };
  const machine = await machines.send(new sfn.DescribeStateMachineCommand({ stateMachineArn }));
  out.machine = { status: machine.status, start: JSON.parse(machine.definition).StartAt, level: machine.loggingConfiguration.level, traced: machine.tracingConfiguration.enabled };
  const aliases = (await functions.send(new lambda.ListAliasesCommand({ FunctionName }))).Aliases;
  out.aliases = aliases.map((a) => a.AliasArn + ' ' + a.FunctionVersion);
  const versions = (await functions.send(new lambda.ListVersionsByFunctionCommand({ FunctionName }))).Versions;
  out.versions = versions.map((v) => v.Version);
  await functions.send(new lambda.TagResourceCommand({ Resource: versions[0].FunctionArn.replace(':$LATEST', ''), Tags: { team: 'shop' } }));
  const own = await functions.send(new lambda.GetFunctionCommand({ FunctionName }));
  out.own = { tags: own.Tags, state: own.Configuration.State, update: own.Configuration.LastUpdateStatus, repository: own.Code.RepositoryType };
  const put = await new ssm.SSMClient({}).send(new ssm.PutParameterCommand({ Name: '/lambda-rollout/read', Type: 'String', Value: 'hold' }));
  out.put = { version: put.Version, tier: put.Tier };
  out.topics = (await new sns.SNSClient({}).send(new sns.ListTopicsCommand({}))).Topics.map((t) => t.TopicArn.replace(/[0-9A-F]{8}$/, ''));
  const { UserId, Account, Arn } = await new sts.STSClient({}).send(new sts.GetCallerIdentityCommand({}));
  out.caller = { id: /^AIDA[A-Z0-9]{17}$/.test(UserId), Account, Arn };
  const lines = new logs.CloudWatchLogsClient({});
  const group = (await lines.send(new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: 'lambda-rollout-RolloutHealthCheckLogs' }))).logGroups[0].logGroupName;
  const found = (await lines.send(new logs.FilterLogEventsCommand({ logGroupName: group, filterPattern: '{ $.decision = "roll-back" }' }))).events[0];
  out.line = { alias: JSON.parse(found.message).alias, id: /^\d{56}$/.test(found.eventId), at: kind(found.timestamp), ingested: kind(found.ingestionTime) };
}

async function unknown(out) {
  out.policy = await errorOf(functions.send(new lambda.GetPolicyCommand({ FunctionName })));
  out.activity = await errorOf(machines.send(new sfn.CreateActivityCommand({ name: 'a' })));
  out.dashboards = await errorOf(metrics.send(new cloudwatch.ListDashboardsCommand({})));
  out.topic = await errorOf(new sns.SNSClient({}).send(new sns.CreateTopicCommand({ Name: 'a' })));
}

async function main() {
  const out = {};
  await alarms(out);
  await reads(out);
  await unknown(out);
  console.log(JSON.stringify(out));
}

main();
