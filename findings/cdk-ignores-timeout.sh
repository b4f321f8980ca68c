#!/usr/bin/env bash
# Package:  npm aws-cdk-lib 2.270.0 with constructs 10.6.0, which CDK uses in every language.
#
# Expected: StateMachine's timeout and comment become TimeoutSeconds and Comment of the definition, whatever the
#           definition's source is. The properties' documentation lists no exception.
#
# Seen:     they do for a chain of CDK's own states. With DefinitionBody.fromString both are dropped, without an error,
#           a warning or an annotation; with fromFile the definition is uploaded unchanged, without them.
#
# Matters:  workflows are kept in .asl.json files so that tests and deployment read the same bytes. With such a file, a
#           timeout set in CDK has no effect: a rollout that hangs can keep its alias split for up to a year. Put
#           TimeoutSeconds in the definition. (aws-cdk issue 37150.)
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund aws-cdk-lib@2.270.0 constructs@10.6.0

cat > finding.cjs <<'EOF'
const fs = require('fs')
const { App, Stack, Duration, aws_stepfunctions: sfn } = require('aws-cdk-lib')

const definition = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } })
fs.writeFileSync('workflow.asl.json', definition)
const app = new App({ outdir: 'cdk.out' })
const bodies = {
  fromChainable: (stack) => sfn.DefinitionBody.fromChainable(new sfn.Succeed(stack, 'Done')),
  fromString: () => sfn.DefinitionBody.fromString(definition),
  fromFile: () => sfn.DefinitionBody.fromFile('workflow.asl.json'),
}
for (const [name, body] of Object.entries(bodies)) {
  const stack = new Stack(app, name)
  new sfn.StateMachine(stack, 'Workflow', { definitionBody: body(stack), timeout: Duration.hours(2), comment: 'shifts traffic' })
}
const assembly = app.synth()
let changed = false
for (const name of Object.keys(bodies)) {
  const { template, messages } = assembly.getStackByName(name)
  const machine = Object.values(template.Resources).find((r) => r.Type === 'AWS::StepFunctions::StateMachine').Properties
  const asset = fs.readdirSync('cdk.out').find((f) => f.startsWith('asset.') && f.endsWith('.json'))
  const text = machine.DefinitionString ?? fs.readFileSync('cdk.out/' + asset, 'utf8')
  console.log(`${name}: ${text}\n    messages: ${messages.length}`)
  const { TimeoutSeconds, Comment } = JSON.parse(text)
  const kept = TimeoutSeconds === 7200 && Comment === 'shifts traffic'
  const dropped = TimeoutSeconds === undefined && Comment === undefined && messages.length === 0
  if (!(name === 'fromChainable' ? kept : dropped)) {
    console.log('    changed: only fromChainable kept both, and none had a message')
    changed = true
  }
}
process.exit(changed ? 1 : 0)
EOF

node finding.cjs
