#!/usr/bin/env bash
# Package:  npm asl-validator 4.0.0 and amazon-states-language-service 1.16.1 (the AWS Toolkit's checks).
#
# Expected: a validator of the Amazon States Language enforces the language's rule for the wildcard States.ALL: it must
#           be alone in its ErrorEquals, and in the last Retrier or Catcher.
#
# Seen:     both accept States.ALL before other Retriers and Catchers, and together with other names, without a warning.
#
# Matters:  Retriers are tried in order, and the first match applies. A Retrier with MaxAttempts 0, which prevents an
#           error from being retried, is never reached after a wildcard. Check this rule in your own tests: two
#           validators that agree do not cover it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund asl-validator@4.0.0 amazon-states-language-service@1.16.1

cat > finding.cjs <<'EOF'
const validate = require('asl-validator')
const { getLanguageService, TextDocument } = require('amazon-states-language-service')

const workflow = (more) => ({
  StartAt: 'Shift',
  States: {
    Shift: { Type: 'Task', Resource: 'arn:aws:lambda:eu-central-1:123456789012:function:f', Next: 'Done', ...more },
    Done: { Type: 'Succeed' },
  },
})
const retry = (...lists) => workflow({ Retry: lists.map((ErrorEquals) => ({ ErrorEquals, MaxAttempts: 0 })) })
const caught = (...lists) => workflow({ Catch: lists.map((ErrorEquals) => ({ ErrorEquals, Next: 'Done' })) })
const all = 'States.ALL'

async function main() {
  const service = getLanguageService({})
  let changed = false
  for (const [name, definition, want] of [
    ['Next names no state', workflow({ Next: 'Nowhere' }), false],
    ['Retry: States.ALL alone and last', retry(['AliasChanged'], [all]), true],
    ['Retry: States.ALL first', retry([all], ['AliasChanged']), true],
    ['Retry: States.ALL with a name', retry([all, 'AliasChanged']), true],
    ['Catch: States.ALL first', caught([all], ['AliasChanged']), true],
    ['Catch: States.ALL with a name', caught(['AliasChanged', all]), true],
  ]) {
    const document = TextDocument.create('workflow.asl.json', 'asl', 1, JSON.stringify(definition))
    const findings = await service.doValidation(document, service.parseJSONDocument(document))
    const got = { 'asl-validator': validate(definition).isValid, 'language service': findings.length === 0 }
    console.log(name.padEnd(34) + Object.entries(got).map(([k, v]) => `${k}: ${v ? 'accepts' : 'refuses'}`).join(', '))
    if (Object.values(got).some((is) => is !== want)) {
      console.log('    changed: both', want ? 'accepted' : 'refused', 'it')
      changed = true
    }
  }
  process.exit(changed ? 1 : 0)
}
main()
EOF

node finding.cjs
