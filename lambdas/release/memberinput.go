package release

import (
	"encoding/json"
	"maps"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Input returns the input of the member's execution. owner is the ARN of the release's
// first execution.
func (r Request) Input(m Member, owner string) json.RawMessage {
	fields := maps.Clone(m.fields)
	fields["release"] = rollout.Encode(rollout.Membership{Execution: owner, Member: m.Name, Together: r.Together, MaxWait: r.MaxWait})
	fields[startedByField] = rollout.Encode(owner)
	return rollout.Encode(fields)
}

// IsInput reports whether the input of an execution is that of the member: whether it names
// the same function, alias, version and release. Other fields may differ, as another
// deployment of the stack may have written them.
func (r Request) IsInput(m Member, owner string, input json.RawMessage) bool {
	fields, ok := rollout.ReadObject(input)
	var of rollout.Membership
	if !ok || json.Unmarshal(fields["release"], &of) != nil || of.Execution != owner || of.Member != m.Name {
		return false
	}
	want, got := rollout.ReadAddressee(rollout.Encode(m.fields)), rollout.ReadAddressee(input)
	return want.FunctionName == got.FunctionName && want.Alias == got.Alias && want.NewVersion == got.NewVersion && got.NewVersion != ""
}
