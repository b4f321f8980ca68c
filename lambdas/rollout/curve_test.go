package rollout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

func TestWeightCurves(t *testing.T) {
	for _, test := range []struct {
		fields string
		want   string
	}{
		{`"type": "linear", "steps": 4, "interval": 60`, "0.25×60 0.5×60 0.75×60 1×60"},
		{`"steps": 3, "interval": 60`, "0.3333×60 0.6667×60 1×60"},
		{`"type": "exponential", "steps": 4, "interval": 60`, "0.0667×60 0.2×60 0.4667×60 1×60"},
		{`"type": "geometric", "steps": 3, "interval": 60`, "0.01×60 0.1×60 1×60"},
		{`"type": "geometric", "steps": 4, "interval": 60, "first-weight": 0.125`, "0.125×60 0.25×60 0.5×60 1×60"},
		{`"type": "canary", "interval": 300`, "0.1×300 1×300"},
		{`"type": "canary", "interval": 300, "first-weight": 0.005, "bake": 600`, "0.005×300 1×900"},
		{`"type": "all-at-once", "interval": 300`, "1×300"},
		{`"type": "custom", "interval": 60, "weights": [0.01, 0.5, 1]`, "0.01×60 0.5×60 1×60"},
		{`"type": "AllAtOnce", "bake": 600`, "1×660"},
		{`"type": "Canary10Percent5Minutes"`, "0.1×300 1×300"},
		{`"type": "Canary10Percent10Minutes"`, "0.1×600 1×600"},
		{`"type": "Canary10Percent15Minutes"`, "0.1×900 1×900"},
		{`"type": "Canary10Percent30Minutes"`, "0.1×1800 1×1800"},
		{`"type": "Linear10PercentEvery1Minute"`, "0.1×60 0.2×60 0.3×60 0.4×60 0.5×60 0.6×60 0.7×60 0.8×60 0.9×60 1×60"},
		{`"type": "Linear10PercentEvery2Minutes", "steps": 10`, "0.1×120 0.2×120 0.3×120 0.4×120 0.5×120 0.6×120 0.7×120 0.8×120 0.9×120 1×120"},
		{`"type": "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes"`, "0.1×180 0.2×180 0.3×180 0.4×180 0.5×180 0.6×180 0.7×180 0.8×180 0.9×180 1×180"},
		{`"type": "Canary25Percent45Minutes"`, "0.25×2700 1×2700"},
		{`"type": "Canary99Percent2880Minutes"`, "0.99×172800 1×172800"},
		{`"type": "CodeDeployDefault.Canary1Percent1Minute", "bake": 5`, "0.01×60 1×65"},
		{`"type": "LambdaLinear50PercentEvery7Minutes"`, "0.5×420 1×420"},
		{`"type": "Linear30PercentEvery1Minutes", "steps": 4`, "0.3×60 0.6×60 0.9×60 1×60"},
		{`"type": "Linear99PercentEvery2880Minutes"`, "0.99×172800 1×172800"},
		{`"type": "CodeDeployDefault.LambdaAllAtOnce"`, "1×60"},
		{`"type": "LambdaAllAtOnce"`, "1×60"},
		{`"type": "Linear10PercentEvery10Minutes"`, "0.1×600 0.2×600 0.3×600 0.4×600 0.5×600 0.6×600 0.7×600 0.8×600 0.9×600 1×600"},
	} {
		req, err := rollout.Decode([]byte(`{"function-name": "f", "alias-name": "live", "new-version": "8", ` + test.fields + `}`))
		if err != nil {
			t.Errorf("%s: %v", test.fields, err)
			continue
		}
		steps, err := req.Schedule()
		if err != nil {
			t.Errorf("%s: %v", test.fields, err)
			continue
		}
		var got []string
		for _, step := range steps {
			got = append(got, fmt.Sprintf("%v×%d", step.Weight, step.Seconds))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", test.fields, diff)
		}
	}
}

// TestEveryValidRequestGivesAValidPlan draws requests of every type. Whatever
// Decode takes has a plan that can be trusted; most of what is drawn is taken.
func TestEveryValidRequestGivesAValidPlan(t *testing.T) {
	taken, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		req, err := rollout.Decode([]byte(drawInput(t)))
		if err != nil {
			refused++
			return
		}
		taken++
		steps, err := req.Schedule()
		if err != nil {
			t.Fatalf("a request that was taken has no schedule: %v", err)
		}
		if err := valid(steps); err != nil {
			t.Fatal(err)
		}
	})
	if taken < refused {
		t.Errorf("%d requests were taken and %d refused: the property is hardly tested", taken, refused)
	}
}

// valid says what every plan promises.
func valid(steps []rollout.Step) error {
	if len(steps) == 0 || len(steps) > rollout.MaxSteps {
		return fmt.Errorf("%d steps", len(steps))
	}
	last := 0.0
	for i, step := range steps {
		if step.Weight <= last || step.Weight > 1 {
			return fmt.Errorf("step %d has weight %v after %v", i+1, step.Weight, last)
		}
		if text := fmt.Sprint(step.Weight); len(text) > len("0.1234") {
			return fmt.Errorf("step %d has more than four decimals: %s", i+1, text)
		}
		if step.Seconds < 1 {
			return fmt.Errorf("step %d lasts %d s", i+1, step.Seconds)
		}
		last = step.Weight
	}
	if last != 1 {
		return fmt.Errorf("the last weight is %v", last)
	}
	if total := rollout.Total(steps); total > rollout.Year {
		return fmt.Errorf("the plan takes %d s", total)
	}
	return nil
}

func TestThePropertyCanFail(t *testing.T) {
	for _, steps := range [][]rollout.Step{
		nil,
		{{Weight: 0.5, Seconds: 60}},
		{{Weight: 0.5, Seconds: 60}, {Weight: 0.5, Seconds: 60}, {Weight: 1, Seconds: 60}},
		{{Weight: 0.12345, Seconds: 60}, {Weight: 1, Seconds: 60}},
		{{Weight: 1, Seconds: 0}},
		{{Weight: 1, Seconds: rollout.Year + 1}},
	} {
		if valid(steps) == nil {
			t.Errorf("%v passes as a valid plan", steps)
		}
	}
}

func drawInput(t *rapid.T) string {
	fields := []string{`"function-name": "f", "alias-name": "live", "new-version": "8", "check-interval": 3600`}
	add := func(format string, value any) { fields = append(fields, fmt.Sprintf(format, value)) }
	curve := rapid.SampledFrom([]string{"linear", "exponential", "geometric", "canary", "all-at-once", "custom",
		"AllAtOnce", "Linear10PercentEvery1Minute", "CodeDeployDefault.LambdaCanary10Percent5Minutes"}).Draw(t, "type")
	add(`"type": %q`, curve)
	if !strings.Contains(curve, "A") && !strings.Contains(curve, "L") {
		add(`"interval": %d`, rapid.Int64Range(1, 40_000).Draw(t, "interval"))
	}
	switch curve {
	case "linear":
		add(`"steps": %d`, rapid.IntRange(1, rollout.MaxSteps).Draw(t, "steps"))
	case "exponential":
		add(`"steps": %d`, rapid.IntRange(1, 16).Draw(t, "steps"))
	case "geometric":
		add(`"steps": %d`, rapid.IntRange(1, 120).Draw(t, "steps"))
		add(`"first-weight": %v`, rapid.Float64Range(0.00001, 1).Draw(t, "first"))
	case "canary":
		add(`"first-weight": %v`, rapid.Float64Range(0.00001, 1).Draw(t, "first"))
	case "custom":
		weights := rapid.SliceOfNDistinct(rapid.IntRange(1, 9999), 0, 20, rapid.ID[int]).Draw(t, "weights")
		var texts []string
		for _, weight := range slices.Sorted(slices.Values(weights)) {
			texts = append(texts, fmt.Sprint(float64(weight)/1e4))
		}
		add(`"weights": [%s]`, strings.Join(append(texts, "1"), ", "))
	}
	if rapid.Bool().Draw(t, "baked") {
		add(`"bake": %d`, rapid.Int64Range(0, rollout.Year/2).Draw(t, "bake"))
	}
	return "{" + strings.Join(fields, ", ") + "}"
}
