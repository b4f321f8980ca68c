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
# CODE_SHA256        of the upload, as AWS printed it: no other code is published (default: any)
# POLL_SECONDS       between two looks (default: 15)
# ON_INTERRUPT       stop (default): SIGINT and SIGTERM stop the execution; leave: it goes on
#
# Exit codes: 0 promoted, 1 not promoted, 2 refused or not started, 3 unknown: it
# can't be seen how the rollout goes on; 130 and 143 interrupted.
set -euo pipefail

# say leaves out what would steer the terminal, or a pipeline's log: causes are others' words.
say() { printf 'rollout: %s\n' "$*" | LC_ALL=C sed $'s/[\x01-\x08\x0b-\x1f\x7f]//g; s/\xc2[\x80-\x9f]//g' >&2 || true; }
die() { say "${@:2}"; exit "$1"; }

execution= unsure=
describe() { aws stepfunctions describe-execution --execution-arn "${2:-$execution}" --query "$1" --output text; }

# detail never fails: what can't be read at the end must not change how the script ends.
unread() { echo "(its $1 could not be read)"; }
detail() { describe "$1" || describe "$1" || unread "$1"; }

# last_state prints the name of the last state that the execution entered.
last_state() {
  aws stepfunctions get-execution-history --execution-arn "$execution" --reverse-order --max-items 20 --no-include-execution-data \
    --query 'events[?stateEnteredEventDetails].stateEnteredEventDetails.name | [0]' --output text || unread "last state"
}

# interrupted stops the execution: the stack's cleanup then puts the alias back,
# within seconds as a rule and within five minutes at the latest.
interrupted() {
  local problem
  trap '' INT TERM
  if [ -z "$execution" ]; then
    say "interrupted before a rollout was started"
  elif [ "${ON_INTERRUPT:-stop}" = leave ]; then
    say "interrupted; ${unsure}the rollout goes on: $execution"
  elif problem=$(aws stepfunctions stop-execution --execution-arn "$execution" --error Interrupted --cause 'The pipeline that waited for it was interrupted' 2>&1); then
    say "interrupted, and the rollout stopped: its alias goes back to the baseline"
  else
    case $problem in
      *ExecutionDoesNotExist*) say "interrupted before a rollout was started" ;;
      *) say "interrupted, but the rollout could not be stopped: $problem; ${unsure}it goes on: $execution" ;;
    esac
  fi
  exit "$1"
}
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# check refuses what would not be what it looks like in the input's JSON or in an ARN.
check() {
  local function='^((arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?[0-9]{12}:function:)?[A-Za-z0-9_-]{1,64}$'
  local alias='^[A-Za-z0-9_-]{1,128}$' machine='^arn:aws[a-z-]*:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^:]+$'
  [[ $1 =~ $function ]] || die 2 "not started: FUNCTION must be a function's name or its ARN without a version, not $1"
  [[ $2 =~ $alias ]] || die 2 "not started: ALIAS must be an alias's name, not $2"
  [[ $STATE_MACHINE_ARN =~ $machine ]] || die 2 "not started: STATE_MACHINE_ARN must be the stack's output, arn:aws:states:...:stateMachine:..., not $STATE_MACHINE_ARN"
  local plan=${PLAN:-}
  case ${plan//[[:space:]]/} in
    '{'* | *'"function-name":'* | *'"alias-name":'* | *'"new-version":'*)
      die 2 "not started: PLAN must be more fields of the input, without braces around them, and without function, alias and version, not $plan"
      ;;
  esac
}

start() {
  local function=$1 alias=$2 version name hash input answer taken
  # A name has 80 characters at most, and no colons, which an ARN has. The hash
  # tells apart what is alike where it is cut off; POSIX has cksum, so it is everywhere.
  name="${function##*:}"
  hash=$(printf '%s %s' "$name" "$alias" | cksum)
  printf -v hash %08x "${hash%% *}"
  name="${name:0:32}-${alias:0:12}-$hash-${COMMIT:0:12}-${ATTEMPT:-1}"
  if [ "${#name}" -gt 80 ]; then
    die 2 "not started: ATTEMPT must have 12 characters at most, not $ATTEMPT"
  fi
  if ! aws lambda wait function-updated-v2 --function-name "$function" ||
    ! version=$(aws lambda publish-version --function-name "$function" ${CODE_SHA256:+--code-sha256 "$CODE_SHA256"} --query Version --output text) ||
    ! aws lambda wait published-version-active --function-name "$function" --qualifier "$version"; then
    die 2 "not started: no version could be published"
  fi
  input="{\"function-name\": \"$function\", \"alias-name\": \"$alias\", \"new-version\": \"$version\", ${PLAN:-\"steps\": 10, \"interval\": 120}}"
  # Known before the call: an interruption may come when AWS has taken it, and
  # kill the CLI before it says so.
  execution="${STATE_MACHINE_ARN/:stateMachine:/:execution:}:$name" unsure="if it was started, "
  if answer=$(aws stepfunctions start-execution --state-machine-arn "$STATE_MACHINE_ARN" --name "$name" --input "$input" --query executionArn --output text 2>&1); then
    unsure=
    say "started $execution"
    return
  fi
  taken=$execution execution= unsure= # not this one's to stop until its input is seen
  case $answer in
    *ExecutionAlreadyExists*) ;;
    *) die 2 "not started: $answer" ;;
  esac
  if ! answer=$(describe input "$taken"); then
    die 3 "started before, but it can't be seen with which input, nor how it goes on: $taken"
  elif [ "$answer" != "$input" ]; then
    die 2 "not started: $name has run with another input; give another ATTEMPT"
  fi
  execution=$taken
  say "has been started before: $execution"
}

wait_for_end() {
  local status error cause lost=0
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
        case $(detail output) in
          *'"unverified":true'*) say "UNVERIFIED: in some step there was too little traffic to know" ;;
          "$(unread output)") say "perhaps UNVERIFIED: its output could not be read" ;;
        esac
        return
        ;;
      *) break ;;
    esac
    sleep "${POLL_SECONDS:-15}" >/dev/null 2>&1 & # in the background: a signal does not wait for it
    wait $!
  done
  error=$(detail error) cause=$(detail cause)
  say "$status: $error: $cause"
  # How it ended is what the workflow's last state says: error and cause are texts.
  if [ "$status" = FAILED ]; then
    case $(last_state) in
      Refused | 'Not started') exit 2 ;;
    esac
  fi
  exit 1
}

case "${1:-} $#" in
  'run 3' | 'start 3')
    if [ -z "${STATE_MACHINE_ARN:-}" ] || [ -z "${COMMIT:-}" ]; then
      die 2 "STATE_MACHINE_ARN and COMMIT must be set"
    fi
    check "$2" "$3"
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
