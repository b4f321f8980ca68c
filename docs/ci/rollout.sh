#!/usr/bin/env bash
# Rolls out a function's latest code from a pipeline. Needs the AWS CLI, version 2.
#
#   rollout.sh run FUNCTION ALIAS     publishes, starts, waits for the end
#   rollout.sh start FUNCTION ALIAS   publishes and starts; prints the execution's ARN
#   rollout.sh wait EXECUTION_ARN     waits for the end
#
# STATE_MACHINE_ARN  the stack's output (run, start)
# PLAN               more fields of the input (default: "steps": 10, "interval": 120)
# COMMIT, ATTEMPT    name the execution: the same commit is rolled out once for each attempt
# POLL_SECONDS       between two looks (default: 15)
# ON_INTERRUPT       stop (default): SIGINT and SIGTERM stop the execution; leave: it goes on
#
# Exit codes: 0 promoted, 1 not promoted, 2 refused or not started, 3 unknown: it
# can't be seen how the rollout goes on; 130 and 143 interrupted.
set -euo pipefail

say() { echo "rollout: $*" >&2; }
die() { say "${@:2}"; exit "$1"; }

execution=
describe() { aws stepfunctions describe-execution --execution-arn "$execution" --query "$1" --output text; }

# interrupted stops the execution: the stack's cleanup then puts the alias back,
# within seconds as a rule and within five minutes at the latest.
interrupted() {
  trap '' INT TERM
  if [ -z "$execution" ]; then
    say "interrupted before a rollout was started"
  elif [ "${ON_INTERRUPT:-stop}" = leave ]; then
    say "interrupted; the rollout goes on: $execution"
  elif aws stepfunctions stop-execution --execution-arn "$execution" --error Interrupted --cause 'The pipeline that waited for it was interrupted' >/dev/null; then
    say "interrupted, and the rollout stopped: its alias goes back to the baseline"
  else
    say "interrupted, but the rollout could not be stopped, and goes on: $execution"
  fi
  exit "$1"
}
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

start() {
  local function=$1 alias=$2 version name input problem
  if ! aws lambda wait function-updated-v2 --function-name "$function" ||
    ! version=$(aws lambda publish-version --function-name "$function" --query Version --output text) ||
    ! aws lambda wait published-version-active --function-name "$function" --qualifier "$version"; then
    die 2 "not started: no version could be published"
  fi
  input="{\"function-name\": \"$function\", \"alias-name\": \"$alias\", \"new-version\": \"$version\", ${PLAN:-\"steps\": 10, \"interval\": 120}}"
  # A name has 80 characters at most, and no colons, which an ARN has.
  name="${function##*:}"
  name="${name:0:40}-${alias:0:16}-${COMMIT:0:12}-${ATTEMPT:-1}"
  # The very command that starts it sets the variable that an interruption looks at.
  if execution=$(aws stepfunctions start-execution --state-machine-arn "$STATE_MACHINE_ARN" --name "$name" --input "$input" --query executionArn --output text 2>&1); then
    execution=${execution##*$'\n'} # below any warnings
    say "started $execution"
    return
  fi
  problem=$execution execution=
  case $problem in
    *ExecutionAlreadyExists*) ;;
    *) die 2 "not started: $problem" ;;
  esac
  execution="${STATE_MACHINE_ARN/:stateMachine:/:execution:}:$name"
  if [ "$(describe input)" != "$input" ]; then
    die 2 "not started: $name has run with another input; give another ATTEMPT"
  fi
  say "has been started before: $execution"
}

wait_for_end() {
  local status error lost=0
  while true; do
    if status=$(describe status); then
      lost=0
    elif [ $((lost += 1)) -ge 5 ]; then
      die 3 "can't see how the rollout goes on (have the credentials expired?); it does: $execution"
    else
      status=RUNNING
    fi
    case $status in
      RUNNING | PENDING_REDRIVE) ;;
      SUCCEEDED)
        say "promoted, or there already"
        case $(describe output) in
          *'"unverified":true'*) say "UNVERIFIED: in some step there was too little traffic to know" ;;
        esac
        return
        ;;
      *) break ;;
    esac
    sleep "${POLL_SECONDS:-15}" >/dev/null 2>&1 & # in the background: a signal does not wait for it
    wait $!
  done
  error=$(describe error)
  say "$status: $error: $(describe cause)"
  case $error in
    InvalidRequest | FunctionNotFound | AliasNotFound | AliasNotPublished | AliasSplit | RolloutUnderWay | VersionNotFound | \
      VersionNotReady | VersionsDiffer | ProvisionedConcurrency | AlarmNotFound | AlarmsRed | GateNotAllowed | AccessDenied)
      exit 2
      ;;
  esac
  exit 1
}

case "${1:-} $#" in
  'run 3' | 'start 3')
    if [ -z "${STATE_MACHINE_ARN:-}" ] || [ -z "${COMMIT:-}" ]; then
      die 2 "STATE_MACHINE_ARN and COMMIT must be set"
    fi
    start "$2" "$3"
    ;;
  'wait 2') execution=$2 ;;
  *) die 2 "usage: rollout.sh run|start FUNCTION ALIAS, or rollout.sh wait EXECUTION_ARN" ;;
esac
if [ "$1" = start ]; then
  echo "$execution"
else
  wait_for_end
fi
