#!/usr/bin/env bash
# Package:  npm aws-local-stepfunctions 3.0.0, an interpreter of the Amazon States Language.
#
# Expected: a Choice rule's type test takes true or false: {"Variable": "$.v", "IsPresent": false} matches when the
#           input has no v, {"Variable": "$.v", "IsNull": false} when v is not null.
#
# Seen:     with false, none of the six tests (IsPresent, IsNull, IsString, IsNumeric, IsBoolean, IsTimestamp) ever
#           matches, although the rule is accepted. Wrapping the test with true in Not works.
#
# Matters:  IsPresent: false is how a workflow detects that an optional field is absent, to set a default at its start.
#           Here that branch is never taken: a test of the workflow takes the Default, and AWS would not. Write the
#           rule with Not if it must work in both.
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

async function holds(rule, input) {
  const machine = new StateMachine({
    StartAt: 'Ask',
    States: {
      Ask: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { Type: 'Pass', Result: true, End: true },
      No: { Type: 'Pass', Result: 'no', End: true },
    },
  })
  return (await machine.run(input).result) === true
}

async function main() {
  let changed = false
  for (const [test, matches, differs] of [
    ['IsPresent', { v: 1 }, {}],
    ['IsNull', { v: null }, { v: 1 }],
    ['IsString', { v: 'x' }, { v: 1 }],
    ['IsNumeric', { v: 1 }, { v: 'x' }],
    ['IsBoolean', { v: true }, { v: 1 }],
    ['IsTimestamp', { v: '2026-01-01T00:00:00Z' }, { v: 'x' }],
  ]) {
    const rule = (is) => ({ Variable: '$.v', [test]: is })
    const got = {
      'true on a match': await holds(rule(true), matches),
      'true on a mismatch': await holds(rule(true), differs),
      'false on a mismatch': await holds(rule(false), differs),
      'Not true on a mismatch': await holds({ Not: rule(true) }, differs),
    }
    console.log(test.padEnd(12) + Object.entries(got).map(([k, v]) => `${k}: ${v ? 'yes' : 'no'}`).join(', '))
    if (Object.values(got).join() !== 'true,false,false,true') {
      console.log('    changed: was yes, no, no, yes')
      changed = true
    }
  }
  process.exit(changed ? 1 : 0)
}
main()
EOF

node finding.cjs
