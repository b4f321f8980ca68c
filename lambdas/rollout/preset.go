package rollout

import "strings"

// preset is one of CodeDeploy's predefined deployment configurations for Lambda.
type preset struct {
	name    string // as AWS SAM writes it
	curve   Curve
	steps   int
	seconds int64
}

// presets are CodeDeploy's. There a deployment ends as soon as all traffic has moved;
// here the step at full weight lasts as long as the others, because most of the
// evidence arrives then. AllAtOnce is watched for one default check interval.
var presets = []preset{
	{"Canary10Percent5Minutes", Canary, 2, 5 * 60},
	{"Canary10Percent10Minutes", Canary, 2, 10 * 60},
	{"Canary10Percent15Minutes", Canary, 2, 15 * 60},
	{"Canary10Percent30Minutes", Canary, 2, 30 * 60},
	{"Linear10PercentEvery1Minute", Linear, 10, 1 * 60},
	{"Linear10PercentEvery2Minutes", Linear, 10, 2 * 60},
	{"Linear10PercentEvery3Minutes", Linear, 10, 3 * 60},
	{"Linear10PercentEvery10Minutes", Linear, 10, 10 * 60},
	{"AllAtOnce", AllAtOnce, 1, DefaultCheckInterval},
}

// findPreset returns the preset with SAM's name (Linear10PercentEvery1Minute) or
// CodeDeploy's own (CodeDeployDefault.LambdaLinear10PercentEvery1Minute).
func findPreset(name string) (preset, bool) {
	short := strings.TrimPrefix(name, "CodeDeployDefault.Lambda")
	for _, p := range presets {
		if p.name == short {
			return p, true
		}
	}
	return preset{}, false
}

// typeNames returns all values of a request's type, presets in SAM's names.
func typeNames() []string {
	var names []string
	for _, c := range curves {
		names = append(names, string(c))
	}
	for _, p := range presets {
		names = append(names, p.name)
	}
	return names
}
