package release

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// RefuseRepeated refuses the input of a release in which a name comes twice in an object: of two
// rollouts with the same name, only the last one would be released. The error is a
// [*rollout.RequestError]; nil if there is no such name. input must be valid JSON, as it was
// given: Step Functions hands its tasks only one of the two.
func RefuseRepeated(input []byte) error {
	problems := repeated(json.NewDecoder(bytes.NewReader(input)), "")
	if len(problems) == 0 {
		return nil
	}
	return &rollout.RequestError{Problems: problems}
}

// repeated returns a problem for each name that comes twice in an object of the next value.
func repeated(d *json.Decoder, path string) (problems []rollout.Problem) {
	token, err := d.Token()
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	for i := 0; (token == json.Delim('{') || token == json.Delim('[')) && d.More(); i++ {
		inner := fmt.Sprintf("%s[%d]", path, i)
		if token == json.Delim('{') {
			key, err := d.Token()
			name, ok := key.(string)
			if err != nil || !ok {
				return problems
			}
			if inner = rollout.Given([]byte(name)); path != "" {
				inner = path + "." + inner
			}
			if seen[name] {
				problems = append(problems, rollout.Problem{Path: inner, Want: "comes twice in one object: leave out one of the two"})
			}
			seen[name] = true
		}
		problems = append(problems, repeated(d, inner)...)
	}
	if token == json.Delim('{') || token == json.Delim('[') {
		_, _ = d.Token() // its end
	}
	return problems
}
