#!/usr/bin/env bash
# Rolls out a function's latest code from a pipeline, with the command lambda-rollout, which must be on the PATH.
#
#   rollout.sh run FUNCTION ALIAS     publishes a version, starts the rollout, waits for its end
#   rollout.sh start FUNCTION ALIAS   publishes and starts; prints the execution's ARN
#   rollout.sh wait EXECUTION_ARN     waits for the end
#
# STATE_MACHINE_ARN  the stack's output (run, start)
# PLAN               additional fields of the input (default: "steps": 10, "interval": 120)
# COMMIT, ATTEMPT    name the execution: each attempt of a commit is rolled out once
# CODE_SHA256        hash of the upload, as AWS printed it: no other code is published (default: any)
# POLL_SECONDS       seconds between two polls, at least 1 (default: 15)
# FAIL_UNVERIFIED    no (default): a promotion counts as one; yes: exit with 4 if too little was seen to judge the version
# ON_INTERRUPT       stop (default): SIGINT and SIGTERM stop the execution; leave: it continues
#
# Exit codes: 0 promoted, 1 not promoted, 2 refused or not started, 3 unknown (the execution can't be read),
# 4 promoted, unverified (with FAIL_UNVERIFIED=yes), 130 and 143 interrupted.
set -euo pipefail

die() {
  printf 'rollout: %s\n' "$1" >&2
  exit 2
}

command -v lambda-rollout >/dev/null ||
  die 'lambda-rollout is not on the PATH; install it with: go install github.com/lambda-rollout/lambda-rollout/statemachine/lambda-rollout@VERSION'
options=(--poll "${POLL_SECONDS:-15}s" --on-interrupt "${ON_INTERRUPT:-stop}")
if [ "${FAIL_UNVERIFIED:-no}" != yes ]; then options+=(--allow-unverified); fi

# exec: a runner may signal this process only.
case "${1:-} $#" in
  'run 3') options+=(--wait) ;;
  'start 3') options+=(--quiet) ;;
  'wait 2')
    machine=${2/:execution:/:stateMachine:}
    exec lambda-rollout wait "$2" --state-machine "${machine%:*}" "${options[@]}"
    ;;
  *) die 'usage: rollout.sh run|start FUNCTION ALIAS, or rollout.sh wait EXECUTION_ARN' ;;
esac
if [ -z "${STATE_MACHINE_ARN:-}" ] || [ -z "${COMMIT:-}" ]; then die 'STATE_MACHINE_ARN and COMMIT must be set'; fi

# A rollout's name has at most 80 characters and no colons, which an ARN has. The hash
# distinguishes names that are equal where they are cut off.
name=${2##*:}
hash=$(printf '%s %s' "$name" "$3" | cksum)
printf -v hash %08x "${hash%% *}"
exec lambda-rollout start -f - --function "$2" --alias "$3" --publish --code-sha256 "${CODE_SHA256:-}" --no-check \
  --name "${name:0:32}-${3:0:12}-$hash-${COMMIT:0:12}-${ATTEMPT:-1}" "${options[@]}" <<<"{${PLAN:-\"steps\": 10, \"interval\": 120}}"
