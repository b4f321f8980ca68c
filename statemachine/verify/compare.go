package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/lambda-rollout/lambda-rollout/statemachine/teststate"
)

// Options configure Compare.
type Options struct {
	Role     string                                                  // the ARN of a role for TestState to assume; may be empty
	Progress func(done, all int)                                     // called before each case and at the end; may be nil
	Client   []func(*sfn.Options)                                    // options of the calls
	Ours     func(*sfn.TestStateInput) (*sfn.TestStateOutput, error) // what is compared with AWS; nil: the interpreter
}

// answer is what a TestState call comes to, as far as it is compared.
type answer struct {
	Refused string // the code of the error with which the call was refused
	Message string // its message, which is not compared
	Status  types.TestExecutionStatus
	Next    string
	Output  any // nil if there is none
	Error   string
	Cause   string
}

// Compare sends each case to AWS and to the interpreter and reports where they
// differ: in the status, the next state, the output, the error and its cause. It
// ends with an error if AWS can't be reached or denies the calls.
func Compare(ctx context.Context, client Tester, cases []Case, o Options) (Report, error) {
	if o.Ours == nil {
		o.Ours = func(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
			return teststate.Run(in, time.Date(2030, 1, 31, 12, 0, 1, 0, time.UTC))
		}
	}
	var report Report
	for i, c := range cases {
		if o.Progress != nil {
			o.Progress(i, len(cases))
		}
		theirs, err := read(client.TestState(ctx, c.call(o.Role), o.Client...))
		if err != nil {
			return report, fmt.Errorf("testing the state %q: %w", c.State, err)
		}
		ours, err := read(o.Ours(c.call(o.Role)))
		if err != nil {
			return report, fmt.Errorf("testing the state %q here: %w", c.State, err)
		}
		report.add(c, theirs, ours)
	}
	if o.Progress != nil {
		o.Progress(len(cases), len(cases))
	}
	return report, nil
}

// refusals are the errors by which TestState refuses a case, as against those that
// have nothing to do with it.
var refusals = map[string]bool{"InvalidDefinition": true, "InvalidExecutionInput": true, "ValidationException": true}

// read returns what a call came to.
func read(out *sfn.TestStateOutput, err error) (answer, error) {
	var refused smithy.APIError
	if errors.As(err, &refused) && refusals[refused.ErrorCode()] {
		return answer{Refused: refused.ErrorCode(), Message: refused.ErrorMessage()}, nil
	}
	if err != nil {
		return answer{}, err
	}
	a := answer{Status: out.Status, Next: aws.ToString(out.NextState), Error: aws.ToString(out.Error), Cause: aws.ToString(out.Cause)}
	if out.Output != nil {
		if err := json.Unmarshal([]byte(*out.Output), &a.Output); err != nil {
			return answer{}, fmt.Errorf("the output is not JSON: %w", err)
		}
	}
	return a, nil
}

// add compares the answers to a case.
func (r *Report) add(c Case, theirs, ours answer) {
	r.Cases++
	before := len(r.Differences)
	differ := func(field string, theirs, ours any) {
		if !reflect.DeepEqual(theirs, ours) {
			r.Differences = append(r.Differences, Difference{Case: c, Field: field, AWS: shown(theirs), Ours: shown(ours)})
		}
	}
	if theirs.Refused != "" || ours.Refused != "" {
		if theirs.Refused != ours.Refused {
			differ("refusal", theirs.Refused+": "+theirs.Message, ours.Refused+": "+ours.Message)
		}
	} else {
		differ("status", string(theirs.Status), string(ours.Status))
		differ("next state", theirs.Next, ours.Next)
		differ("output", theirs.Output, ours.Output)
		differ("error", theirs.Error, ours.Error)
		differ("cause", theirs.Cause, ours.Cause)
	}
	if len(r.Differences) == before {
		r.Agree++
	}
}

// shown returns a value as text: a string as it is, anything else as JSON.
func shown(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was JSON
	}
	return string(text)
}
