package orders

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/release"
	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// parameters is a Parameter Store that keeps one value.
type parameters struct{ value string }

func (p *parameters) PutParameter(_ context.Context, in *ssm.PutParameterInput, _ ...func(*ssm.Options)) (*ssm.PutParameterOutput, error) {
	p.value = aws.ToString(in.Value)
	return &ssm.PutParameterOutput{Version: 1}, nil
}

func (p *parameters) GetParameters(context.Context, *ssm.GetParametersInput, ...func(*ssm.Options)) (*ssm.GetParametersOutput, error) {
	return nil, nil
}

func (p *parameters) DeleteParameters(context.Context, *ssm.DeleteParametersInput, ...func(*ssm.Options)) (*ssm.DeleteParametersOutput, error) {
	return nil, nil
}

// TestADecisionFitsIntoAParameter, whatever its reason quotes: a decision that can't be written
// would never be obeyed.
func TestADecisionFitsIntoAParameter(t *testing.T) {
	for _, text := range []string{"<", `"`, `\`, "&", "é", "😀", "\u2028", "\x00"} {
		p := &parameters{}
		reason := rollout.Shorten(strings.Repeat(text, 3000), 1200)
		if err := NewDecisions(p).Decide(context.Background(), "decision", release.Decision{Decision: rollout.RollBack, Reason: reason, Error: "Unhealthy"}); err != nil {
			t.Fatal(err)
		}
		if len(p.value) > 4096 || !strings.Contains(p.value, `"Unhealthy"`) {
			t.Errorf("%q: %d characters: %.60s", text, len(p.value), p.value)
		}
	}
}
