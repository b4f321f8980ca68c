package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
	"github.com/lambda-rollout/lambda-rollout/statemachine/teststate"
	"github.com/lambda-rollout/lambda-rollout/statemachine/verify"
)

// executions is an account without executions in which states can be tested.
type executions struct{}

func (executions) Executions(string) (iter.Seq[localaws.Execution], bool) { return nil, false }

func (executions) Execution(string) (localaws.Execution, bool) { return localaws.Execution{}, false }

func (executions) TestState(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
	return teststate.Run(in, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC))
}

// served returns a client of a local AWS on a socket.
func served(t *testing.T) *sfn.Client {
	server := localaws.New(localaws.Options{Account: "999999999999", Region: "eu-central-1", Now: time.Now, Sleep: time.Sleep, Executions: executions{}})
	socket := httptest.NewServer(server)
	t.Cleanup(socket.Close)
	return sfn.NewFromConfig(server.ConfigAt(socket.URL), localaws.NoHostPrefix)
}

func cases(t *testing.T, partition string) []verify.Case {
	t.Helper()
	all, err := verify.Cases(statemachine.Definition, partition)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTheLocalAWSAgrees sends all cases to the local AWS's TestState, over HTTP.
func TestTheLocalAWSAgrees(t *testing.T) {
	for _, partition := range []string{"aws", "aws-us-gov"} {
		all := cases(t, partition)
		report, err := verify.Compare(t.Context(), served(t), all, verify.Options{Role: "arn:aws:iam::999999999999:role/r"})
		if err != nil {
			t.Fatal(err)
		}
		if report.Cases != len(all) || report.Agree != len(all) || len(report.Differences) > 0 {
			t.Errorf("%d cases: %s", len(all), report)
		}
		if want := fmt.Sprintf("%d of %d cases agree.\n", len(all), len(all)); report.String() != want {
			t.Errorf("%q, want %q", report, want)
		}
	}
}

// TestTheCasesCoverTheWorkflow sees every state, every next state of a Choice, a
// Catch and a Next, and every element of Retry and Catch reached.
func TestTheCasesCoverTheWorkflow(t *testing.T) {
	var machine struct {
		States map[string]struct {
			Type, Next, Default string
			Choices             []struct{ Next string }
			Catch               []struct{ Next string }
			Retry               []struct{ MaxAttempts *int }
		}
	}
	if err := json.Unmarshal([]byte(statemachine.Definition), &machine); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for name, s := range machine.States {
		wanted[name] = true
		for _, next := range []string{s.Next, s.Default} {
			if next != "" {
				wanted[name+" → "+next] = true
			}
		}
		for _, rule := range s.Choices {
			wanted[name+" → "+rule.Next] = true
		}
		for i, c := range s.Catch {
			wanted[fmt.Sprintf("%s catches by %d → %s", name, i, c.Next)] = true
		}
		for i, r := range s.Retry {
			if r.MaxAttempts == nil || *r.MaxAttempts > 0 {
				wanted[fmt.Sprintf("%s retries by %d", name, i)] = true
			}
		}
	}
	ours := func(in *sfn.TestStateInput) (*sfn.TestStateOutput, error) {
		in.InspectionLevel = types.InspectionLevelDebug
		out, err := teststate.Run(in, time.Now())
		if err != nil {
			return nil, err
		}
		name, next := *in.StateName, aws.ToString(out.NextState)
		delete(wanted, name)
		if d := out.InspectionData.ErrorDetails; d != nil && d.CatchIndex != nil {
			delete(wanted, fmt.Sprintf("%s catches by %d → %s", name, *d.CatchIndex, next))
		} else if d != nil {
			delete(wanted, fmt.Sprintf("%s retries by %d", name, *d.RetryIndex))
		} else {
			delete(wanted, name+" → "+next)
		}
		return out, nil
	}
	all := cases(t, "aws")
	if _, err := verify.Compare(t.Context(), served(t), all, verify.Options{Ours: ours}); err != nil {
		t.Fatal(err)
	}
	if len(wanted) > 0 {
		t.Errorf("no case of %d reaches %s", len(all), strings.Join(slices.Sorted(maps.Keys(wanted)), ", "))
	}
}

// wrong answers like the local AWS, but changes some answers.
type wrong struct {
	verify.Tester
	change func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error)
}

func (w wrong) TestState(ctx context.Context, in *sfn.TestStateInput, options ...func(*sfn.Options)) (*sfn.TestStateOutput, error) {
	out, err := w.Tester.TestState(ctx, in, options...)
	if err != nil {
		return nil, err
	}
	return w.change(in, out)
}

// TestDifferencesAreReported has an AWS that is wrong in each field.
func TestDifferencesAreReported(t *testing.T) {
	some := slices.DeleteFunc(cases(t, "aws"), func(c verify.Case) bool {
		return !slices.Contains([]string{"Decide", "Finalize", "Refused", "Promoted", "Continue"}, c.State)
	})
	for _, c := range []struct {
		name    string
		change  func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error)
		reports []string // parts of the report
	}{
		{"next state", func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error) {
			if *in.StateName == "Decide" && strings.Contains(*in.Input, `"advance"`) {
				out.NextState = aws.String("Rollback")
			}
			return out, nil
		}, []string{"differs from AWS Step Functions (TestState) in 1 case", `State "Decide", $.health.decision is "advance"`, "next state on AWS: Rollback\n", "next state here:   UpdateAlias\n"}},
		{"output", func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error) {
			if *in.StateName == "Finalize" && out.Status == types.TestExecutionStatusSucceeded {
				out.Output = aws.String(`{"role":"arn:aws:iam::999999999999:role/secret","account":"999999999999","id":"0b1cf0e8-cf9c-4a4c-8b53-d70b7c1ef0b5"}`)
			}
			return out, nil
		}, []string{"in 1 case", `output on AWS: {"account":"<account>","id":"<id>","role":"<arn>"}`}},
		{"status, error and cause", func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error) {
			if *in.StateName == "Refused" && out.Error != nil {
				out.Status, out.Error, out.Cause = types.TestExecutionStatusRetriable, aws.String("Other"), nil
			}
			return out, nil
		}, []string{"in 2 case", "status on AWS: RETRIABLE\n", "error on AWS: Other\n", "cause on AWS: \n", "cause here:   the value of $.Details.errorMessage\n"}},
		{"no output", func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error) {
			if *in.StateName == "Promoted" {
				out.Output = nil
			}
			return out, nil
		}, []string{"in 1 case", "output on AWS: null\n"}},
		{"a refusal", func(in *sfn.TestStateInput, out *sfn.TestStateOutput) (*sfn.TestStateOutput, error) {
			if *in.StateName == "Continue" {
				return nil, &types.ValidationException{Message: aws.String("no mock for you, 999999999999")}
			}
			return out, nil
		}, []string{"refusal on AWS: ValidationException: no mock for you, <account>\n"}},
	} {
		report, err := verify.Compare(t.Context(), wrong{served(t), c.change}, some, verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text := report.String()
		for _, part := range c.reports {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the report lacks %q:\n%s", c.name, part, text)
			}
		}
		if report.Agree >= report.Cases || strings.Contains(text, "999999999999") || strings.Contains(text, "secret") {
			t.Errorf("%s:\n%s", c.name, text)
		}
	}
}

// TestCompareEnds sees an AWS that does not answer end the comparison, and not
// become a difference.
func TestCompareEnds(t *testing.T) {
	denied := errors.New("AccessDeniedException: no")
	_, err := verify.Compare(t.Context(), wrong{served(t), func(*sfn.TestStateInput, *sfn.TestStateOutput) (*sfn.TestStateOutput, error) {
		return nil, denied
	}}, cases(t, "aws"), verify.Options{})
	if !errors.Is(err, denied) {
		t.Errorf("%v", err)
	}
}

func TestCasesRefuses(t *testing.T) {
	const placeholders = `{"Comment":"${Partition}${CalculateWeightsArn}${UpdateAliasArn}${HealthCheckArn}${RollbackArn}${FinalizeArn}",`
	for definition, want := range map[string]string{
		`{"States":{"A":{"Type":"Map"}}}`: `state "A": there are no cases for the type "Map"`,
		`{"States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":1}]}}}`: `there is no input for the rule`,
		`{"States":{"A":{"Type":"Choice","Choices":[{"Not":{}}]}}}`:                           `there is no input for the rule`,
		`{"States":{"A":{"Type":"Wait","Seconds":1}}}`:                                        `only inputs for a Wait with SecondsPath`,
		`{"States":{"A":{"Type":"Pass","Result":"${Unknown}"}}}`:                              `Unknown`,
		`{`: `unexpected end`,
	} {
		if all, err := verify.Cases(strings.Replace(definition, "{", placeholders, 1), "aws"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", definition, fmt.Sprint(len(all)), err)
		}
	}
}
