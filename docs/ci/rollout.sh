#!/usr/bin/env bash
# Rolls out a function's latest code from a pipeline. Needs the AWS CLI, version 2.
#
#   rollout.sh run FUNCTION ALIAS     publishes a version, starts the rollout, waits for its end
#   rollout.sh start FUNCTION ALIAS   publishes and starts; prints the execution's ARN
#   rollout.sh wait EXECUTION_ARN     waits for the end
#
# STATE_MACHINE_ARN  the stack's output (run, start)
# PLAN               additional fields of the input (default: "steps": 10, "interval": 120)
# COMMIT, ATTEMPT    name the execution: each attempt of a commit is rolled out once
# CODE_SHA256        hash of the upload, as AWS printed it: no other code is published (default: any)
# POLL_SECONDS       seconds between two polls (default: 15)
# FAIL_UNVERIFIED    no (default): a promotion counts as one; yes: exit with 4 if too little was seen to judge the version
# ON_INTERRUPT       stop (default): SIGINT and SIGTERM stop the execution; leave: it continues
#
# Exit codes: 0 promoted, 1 not promoted, 2 refused or not started, 3 unknown (the
# execution can't be read), 4 promoted, unverified (with FAIL_UNVERIFIED=yes), 130
# and 143 interrupted.
set -euo pipefail

# Errors are recognized by the sentence "An error occurred (...)". The CLI prints it in
# this format only, and the caller's environment or profile may choose another.
export AWS_CLI_ERROR_FORMAT=legacy

# say prints a message without control characters, which could manipulate the terminal or a pipeline's log: causes contain others' text.
say() { printf 'rollout: %s\n' "$*" | LC_ALL=C sed $'s/[\x01-\x08\x0b-\x1f\x7f]//g; s/\xc2[\x80-\x9f]//g' >&2 || true; }
die() { say "${@:2}"; exit "$1"; }

execution= unsure=
describe() { aws stepfunctions describe-execution --execution-arn "${2:-$execution}" --query "$1" --output text; }

# detail prints a field of the execution. It never fails: a field that can't be read at the end must not change the exit code.
unread() { echo "(its $1 could not be read)"; }
detail() { describe "$1" || describe "$1" || unread "$1"; }

# last_state prints the name of the last state that the execution entered.
last_state() {
  aws stepfunctions get-execution-history --execution-arn "$execution" --reverse-order --max-items 20 --no-include-execution-data \
    --query 'events[?stateEnteredEventDetails].stateEnteredEventDetails.name | [0]' --output text || unread "last state"
}

# interrupted stops the execution. The stack's cleanup then puts the alias back,
# normally within seconds and at the latest within five minutes.
interrupted() {
  local problem
  trap '' INT TERM
  if [ -z "$execution" ]; then
    say "interrupted before a rollout was started"
  elif [ "${ON_INTERRUPT:-stop}" = leave ]; then
    say "interrupted; ${unsure}the rollout continues: $execution"
  elif problem=$(aws stepfunctions stop-execution --execution-arn "$execution" --error Interrupted --cause 'The pipeline that waited for it was interrupted' 2>&1); then
    say "interrupted; the rollout was stopped, and its alias returns to the baseline"
  else
    case $problem in
      *'An error occurred (ExecutionDoesNotExist)'*) say "interrupted before a rollout was started" ;;
      *) say "interrupted, but the rollout could not be stopped: $problem; ${unsure}it continues: $execution" ;;
    esac
  fi
  exit "$1"
}
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# check refuses values that would change the structure of the input's JSON or of an ARN.
check() {
  local function='^((arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?[0-9]{12}:function:)?[A-Za-z0-9_-]{1,64}$'
  local alias='^[A-Za-z0-9_-]{1,128}$' machine='^arn:aws[a-z-]*:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^:]+$'
  [[ $1 =~ $function ]] || die 2 "not started: FUNCTION must be a function name or an ARN without a version, not $1"
  [[ $2 =~ $alias ]] || die 2 "not started: ALIAS must be an alias name, not $2"
  [[ $STATE_MACHINE_ARN =~ $machine ]] || die 2 "not started: STATE_MACHINE_ARN must be the stack's output, arn:aws:states:...:stateMachine:..., not $STATE_MACHINE_ARN"
  local plan=${PLAN:-}
  case ${plan//[[:space:]]/} in
    '{'* | *'"function-name":'* | *'"alias-name":'* | *'"new-version":'*)
      die 2 "not started: PLAN must be additional fields of the input, without enclosing braces and without function, alias and version, not $plan"
      ;;
  esac
}

start() {
  local function=$1 alias=$2 version name hash input answer taken
  # An execution's name has at most 80 characters and no colons, which an ARN has.
  # The hash distinguishes names that are equal where they are cut off. cksum is
  # part of POSIX and so always available.
  name="${function##*:}"
  hash=$(printf '%s %s' "$name" "$alias" | cksum)
  printf -v hash %08x "${hash%% *}"
  name="${name:0:32}-${alias:0:12}-$hash-${COMMIT:0:12}-${ATTEMPT:-1}"
  if [ "${#name}" -gt 80 ]; then
    die 2 "not started: ATTEMPT must have at most 12 characters, not $ATTEMPT"
  fi
  if ! aws lambda wait function-updated-v2 --function-name "$function" ||
    ! version=$(aws lambda publish-version --function-name "$function" ${CODE_SHA256:+--code-sha256 "$CODE_SHA256"} --query Version --output text) ||
    ! aws lambda wait published-version-active --function-name "$function" --qualifier "$version"; then
    die 2 "not started: no version could be published"
  fi
  input="{\"function-name\": \"$function\", \"alias-name\": \"$alias\", \"new-version\": \"$version\", ${PLAN:-\"steps\": 10, \"interval\": 120}}"
  # Set before the call: an interruption may kill the CLI after AWS has accepted
  # the call and before the CLI reports it.
  execution="${STATE_MACHINE_ARN/:stateMachine:/:execution:}:$name" unsure="if it was started, "
  if answer=$(aws stepfunctions start-execution --state-machine-arn "$STATE_MACHINE_ARN" --name "$name" --input "$input" --query executionArn --output text 2>&1); then
    unsure=
    say "started $execution"
    return
  fi
  taken=$execution execution= unsure= # not ours to stop until its input is known
  case $answer in
    *'An error occurred (ExecutionAlreadyExists)'*) ;;
    *) die 2 "not started: $answer" ;;
  esac
  if ! answer=$(describe input "$taken"); then
    die 3 "started before, but its input and status can't be read: $taken"
  elif [ "$answer" != "$input" ]; then
    die 2 "not started: $name was started before with a different input; use another ATTEMPT"
  fi
  execution=$taken
  say "already started: $execution"
}

wait_for_end() {
  local status error cause output gates lost=0 code=0
  while true; do
    if status=$(describe status); then
      lost=0
    elif [ $((lost += 1)) -ge 5 ]; then
      die 3 "can't read the rollout's status (have the credentials expired?); it continues: $execution"
    else
      status=RUNNING
    fi
    case $status in
      RUNNING | PENDING_REDRIVE) ;;
      SUCCEEDED)
        say "promoted, or already on that version"
        output=$(detail output)
        # The outcome is the output's last field. What precedes it may contain texts of the request.
        case ${output##*'"outcome":{'} in
          *'"unverified":true'*)
            gates=${output##*'"unverified-gates":['}
            if [ "$gates" = "$output" ]; then gates=; else gates="; no conclusive reading of ${gates%%]*}"; fi
            say "UNVERIFIED: too little was seen to judge the version$gates"
            code=4
            ;;
          "$(unread output)")
            say "perhaps UNVERIFIED: its output could not be read"
            code=3
            ;;
        esac
        if [ "${FAIL_UNVERIFIED:-no}" = yes ]; then exit "$code"; fi
        return
        ;;
      *) break ;;
    esac
    sleep "${POLL_SECONDS:-15}" >/dev/null 2>&1 & # in the background, so that a signal does not have to wait for it
    wait $!
  done
  error=$(detail error) cause=$(detail cause)
  say "$status: $error: $cause"
  # The workflow's last state decides how the rollout ended: error and cause are only printed.
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
