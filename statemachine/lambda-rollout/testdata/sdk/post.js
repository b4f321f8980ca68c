// Runs the post's rollout with the AWS SDK for JavaScript, and prints as JSON what AWS answered.
const { CloudWatchClient, GetMetricDataCommand } = require('@aws-sdk/client-cloudwatch');
const lambda = require('@aws-sdk/client-lambda');
const sfn = require('@aws-sdk/client-sfn');

const functions = new lambda.LambdaClient({});
const machines = new sfn.SFNClient({});
const stateMachineArn = process.env.STATE_MACHINE_ARN;
const FunctionName = 'MyFunction';
const plan = (steps, interval) => JSON.stringify({
  'function-name': FunctionName, 'alias-name': 'MyAlias', 'new-version': '2', steps, interval, type: 'linear',
});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const aliasOf = (a) => ({ at: a.FunctionVersion, weights: a.RoutingConfig?.AdditionalVersionWeights });
const updateAlias = async (change) => aliasOf(await functions.send(new lambda.UpdateAliasCommand({ FunctionName, Name: 'MyAlias', ...change })));
const describe = (executionArn) => machines.send(new sfn.DescribeExecutionCommand({ executionArn }));
const start = (name, input) => machines.send(new sfn.StartExecutionCommand({ stateMachineArn, name, input }));
const errorOf = (promise) => promise.then(() => 'no error', (error) => error.name);

async function ended(executionArn) {
  for (;;) {
    const execution = await describe(executionArn);
    if (execution.status !== 'RUNNING') return execution;
    await sleep(100);
  }
}

async function invocations(execution) {
  const answer = await new CloudWatchClient({}).send(new GetMetricDataCommand({
    StartTime: execution.startDate,
    EndTime: execution.stopDate,
    MetricDataQueries: [{
      Id: 'm',
      MetricStat: {
        Metric: {
          Namespace: 'AWS/Lambda', MetricName: 'Invocations',
          Dimensions: [{ Name: 'FunctionName', Value: FunctionName }, { Name: 'Resource', Value: FunctionName + ':MyAlias' }],
        },
        Period: 60,
        Stat: 'Sum',
      },
    }],
  }));
  return answer.MetricDataResults[0].Values.reduce((sum, value) => sum + value, 0);
}

async function main() {
  const out = {};
  const code = Buffer.from(process.argv[2], 'base64');
  out.updated = (await functions.send(new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: code }))).LastUpdateStatus;
  await lambda.waitUntilFunctionUpdatedV2({ client: functions, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { FunctionName });
  out.published = (await functions.send(new lambda.PublishVersionCommand({ FunctionName }))).Version;
  out.shifted = await updateAlias({ RoutingConfig: { AdditionalVersionWeights: { 2: 0.05 } } });
  out.promoted = await updateAlias({ FunctionVersion: '2', RoutingConfig: {} });
  out.back = await updateAlias({ FunctionVersion: '1', RoutingConfig: {} });
  const simple = await functions.send(new lambda.InvokeCommand({ FunctionName: 'SimpleDeployFunction', Payload: plan(10, 120) }));
  out.simple = { error: simple.FunctionError, type: JSON.parse(Buffer.from(simple.Payload).toString()).errorType };

  const { executionArn } = await start('js', plan(2, 60));
  out.execution = executionArn;
  out.running = (await describe(executionArn)).status;
  out.listed = (await machines.send(new sfn.ListExecutionsCommand({ stateMachineArn }))).executions.map((e) => e.name);
  const execution = await ended(executionArn);
  out.ended = execution.status;
  const { events } = await machines.send(new sfn.GetExecutionHistoryCommand({ executionArn }));
  out.first = events[1].stateEnteredEventDetails.name;
  out.last = events.at(-1).type;
  out.alias = aliasOf(await functions.send(new lambda.GetAliasCommand({ FunctionName, Name: 'MyAlias' })));
  out.served = (await invocations(execution)) > 0;

  await updateAlias({ FunctionVersion: '1', RoutingConfig: {} });
  const stopped = (await start('stopped', plan(10, 120))).executionArn;
  out.again = await errorOf(start('stopped', plan(1, 60)));
  await machines.send(new sfn.StopExecutionCommand({ executionArn: stopped }));
  out.stopped = (await describe(stopped)).status;
  await machines.send(new sfn.RedriveExecutionCommand({ executionArn: stopped }));
  out.redriven = (await ended(stopped)).error;
  out.missing = await errorOf(functions.send(new lambda.GetFunctionCommand({ FunctionName: 'Nobody' })));
  console.log(JSON.stringify(out));
}

main();
