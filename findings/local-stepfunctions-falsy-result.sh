#!/usr/bin/env bash
# Package:  npm aws-local-stepfunctions 3.0.0, an interpreter of the Amazon States Language.
#
# Expected: a Pass state's output is its Result, whatever JSON value that is; ResultPath says where to insert it.
#
# Seen:     the Results false, 0, "" and null are treated as absent: the result is the state's whole input.
#           With ResultPath "$.flag", the input gets a copy of itself as that member.
#
# Matters:  Pass states set flags to false and counters to 0 before a loop. The copy is neither false nor a number, so
#           the following Choice takes a different branch than on AWS, without an error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund aws-local-stepfunctions@3.0.0

cat > finding.cjs <<'EOF'
// Needed on Node 20; built into later versions of Node.
Promise.withResolvers ??= function () {
  const made = {}
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}
const { StateMachine } = require('aws-local-stepfunctions')

async function main() {
  let changed = false
  for (const Result of [true, 1, 'x', [], false, 0, '', null]) {
    const machine = new StateMachine({ StartAt: 'Set', States: { Set: { Type: 'Pass', Result, ResultPath: '$.flag', End: true } } })
    const got = JSON.stringify(await machine.run({ weight: 10 }).result)
    const want = JSON.stringify({ weight: 10, flag: Result ? Result : { weight: 10 } })
    console.log(`Result ${JSON.stringify(Result).padEnd(5)} at $.flag: ${got}`)
    if (got !== want) {
      console.log('    changed: was', want)
      changed = true
    }
  }
  process.exit(changed ? 1 : 0)
}
main()
EOF

node finding.cjs
