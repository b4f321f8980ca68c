#!/usr/bin/env bash
# Package:  npm aws-cdk-lib 2.270.0 with constructs 10.6.0, which CDK uses in every language.
#
# Expected: a function's currentVersion is a new version whenever what it runs changes: its code, its configuration or
#           the content of its layers. A flag in the project's cdk.json applies to the app.
#
# Seen:     changing a layer's content has no effect unless the feature flag
#           @aws-cdk/aws-lambda:recognizeLayerVersion is in the context, and only the CDK CLI reads the context from
#           cdk.json. When run without the CLI (node, go run, a unit test), even in the folder of that cdk.json, the
#           app has no flags, and the version keeps its logical ID when the layer changes. The two ways to synthesize
#           also give the same function different logical IDs: switching between them publishes versions although
#           nothing has changed.
#
# Matters:  a weighted alias shifts traffic between published versions. Without a new version, the new layer never
#           reaches the alias and no rollout starts, yet the deployment succeeds. Set flags on the App itself
#           (NewApp with Context) when anything but the CLI runs it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund aws-cdk-lib@2.270.0 constructs@10.6.0

cat > cdk.json <<'EOF'
{"app": "node finding.cjs", "context": {"@aws-cdk/aws-lambda:recognizeLayerVersion": true, "@aws-cdk/aws-lambda:recognizeVersionProps": true}}
EOF

cat > finding.cjs <<'EOF'
const fs = require('fs')
const { App, Stack, aws_lambda: lambda, aws_s3: s3 } = require('aws-cdk-lib')

// version returns the logical ID of the version that a function publishes with this layer and memory.
function version(context, layer, memorySize = 128) {
  const app = new App({ context, outdir: fs.mkdtempSync('out-') })
  const stack = new Stack(app, 'S')
  const bucket = s3.Bucket.fromBucketName(stack, 'Bucket', 'artifacts')
  const shop = new lambda.Function(stack, 'Shop', {
    runtime: lambda.Runtime.PROVIDED_AL2023, handler: 'bootstrap', code: lambda.Code.fromBucket(bucket, 'shop.zip'), memorySize,
    layers: [new lambda.LayerVersion(stack, 'Layer', { code: lambda.Code.fromBucket(bucket, layer) })],
  })
  new lambda.Alias(stack, 'Live', { aliasName: 'live', version: shop.currentVersion })
  const { Resources } = app.synth().getStackByName('S').template
  return Object.keys(Resources).find((id) => Resources[id].Type === 'AWS::Lambda::Version')
}

const without = undefined // the context of an App that the CLI did not start, with or without cdk.json
const flags = JSON.parse(fs.readFileSync('cdk.json', 'utf8')).context // what the CLI passes to the app
const seen = {
  'without the CLI, more memory:   new version': version(without, '1.zip') !== version(without, '1.zip', 256),
  'without the CLI, another layer: new version': version(without, '1.zip') !== version(without, '2.zip'),
  'with the flags, another layer:  new version': version(flags, '1.zip') !== version(flags, '2.zip'),
  'nothing but the flags:          new version': version(without, '1.zip') !== version(flags, '1.zip'),
}
for (const [what, is] of Object.entries(seen)) console.log(`${what}: ${is ? 'yes' : 'no'}`)
if (Object.values(seen).join() !== 'true,false,true,true') {
  console.log('changed: was yes, no, yes, yes')
  process.exit(1)
}
EOF

node finding.cjs
