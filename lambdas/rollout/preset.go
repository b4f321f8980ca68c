package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// preset is what a name of CodeDeploy's patterns for Lambda means. There a deployment
// ends as soon as all traffic has moved; here the step at full weight lasts as long as
// the others, because most of the evidence arrives then. AllAtOnce is watched for one
// default check interval.
type preset struct {
	curve   Curve
	weights []float64
	seconds int64 // of each step
}

// maxShift is the longest time from the first shift to the last in CodeDeploy, in
// minutes: two days, as for CodePipeline's action LambdaDeploy.
const maxShift = 2 * 24 * 60

// presetForm matches the names that CodeDeploy's configurations for Lambda have, as AWS
// SAM, CodeDeploy and CodePipeline write them, with any numbers.
var presetForm = lazyregexp.New(`^(?:CodeDeployDefault\.)?(?:Lambda)?(?:(AllAtOnce)|Canary([0-9]+)Percent([0-9]+)Minutes?|Linear([0-9]+)PercentEvery([0-9]+)Minutes?)$`)

// readPreset returns the preset with a name such as Linear10PercentEvery1Minute or
// CodeDeployDefault.LambdaLinear10PercentEvery1Minute. is reports whether the name has
// that form, and problem is what is wrong with its numbers; "" if nothing is.
func readPreset(name string) (p preset, is bool, problem string) {
	parts := presetForm.FindStringSubmatch(name)
	switch {
	case parts == nil:
		return preset{}, false, ""
	case parts[1] != "":
		return preset{AllAtOnce, []float64{1}, DefaultCheckInterval}, true, ""
	}
	curve, inPercent, inMinutes := Canary, parts[2], parts[3]
	if inPercent == "" {
		curve, inPercent, inMinutes = Linear, parts[4], parts[5]
	}
	percent, minutes := presetNumber(inPercent, 99), presetNumber(inMinutes, maxShift)
	if percent == 0 {
		return preset{}, true, wantPercent(inPercent)
	}
	weights := []float64{float64(percent) / 100, 1}
	if curve == Linear {
		weights = weights[:0]
		for at := percent; at < 100; at += percent {
			weights = append(weights, float64(at)/100)
		}
		weights = append(weights, 1)
	}
	if minutes == 0 || minutes*int64(len(weights)-1) > maxShift {
		return preset{}, true, wantMinutes(inMinutes, maxShift/(len(weights)-1))
	}
	return preset{curve, weights, minutes * 60}, true, ""
}

// presetNumber reads a number from 1 to most without leading zeros; 0 if it is none.
func presetNumber(digits string, most int64) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > most || digits[0] == '0' {
		return 0
	}
	return n
}

// findPreset returns the preset with a name; false if the name has not the form of one,
// or has numbers that are not possible.
func findPreset(name string) (preset, bool) {
	p, is, problem := readPreset(name)
	return p, is && problem == ""
}

// wantTypeOf returns what a type must be that is neither a curve nor a preset. A
// configuration that someone defined in CodeDeploy can have any name, and its plan can't
// be read from here: then no other plan is suggested.
func wantTypeOf(given string) string {
	names := make([]string, len(curves))
	for i, c := range curves {
		names[i] = string(c)
	}
	rest, ecs := strings.CutPrefix(given, "CodeDeployDefault.ECS")
	if _, _, problem := readPreset(given); problem != "" {
		return problem
	} else if _, ok := findPreset(rest); ecs && ok {
		return fmt.Sprintf("must be %s: this is a configuration for ECS", strings.TrimPrefix(rest, "Lambda"))
	}
	if near := nearest(given, names); near != "" && slices.Contains(curves, Curve(near)) && !strings.ContainsAny(given, "0123456789.") {
		return wantType + fmt.Sprintf(" (did you mean %q?)", near)
	}
	return wantType + wantOwnConfiguration
}
