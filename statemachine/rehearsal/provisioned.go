package rehearsal

import (
	"errors"
	"fmt"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Provisioned is the provisioned concurrency at the start of the rollout, and how
// AWS allocates more.
type Provisioned struct {
	// Alias and Baseline are the provisioned concurrency of the alias and of the
	// baseline version; AWS allows only one of them.
	Alias    int `json:"alias,omitempty"`
	Baseline int `json:"baseline,omitempty"`
	// Seconds is how long an allocation takes; 90 if it is left out, as AWS says a
	// minute or two.
	Seconds *float64 `json:"seconds,omitempty"`
	// Fails is AWS's reason why it can't allocate for the new version, such as
	// FUNCTION_ERROR_INIT_FAILURE; empty if it can.
	Fails string `json:"fails,omitempty"`
	// Locks makes AWS refuse changes of an alias while it allocates for it. Whether
	// it does so is not known.
	Locks bool `json:"locks,omitempty"`
}

// usualAllocation sets how long an allocation takes by default, in seconds.
const usualAllocation = 90

// check passes the numbers and their bounds to within, and returns an error if both
// the alias and the baseline have provisioned concurrency.
func (p *Provisioned) check(within func(path string, value, low, high float64)) error {
	if p == nil {
		return nil
	}
	const most = 100_000
	within("provisioned-concurrency.alias", float64(p.Alias), 0, most)
	within("provisioned-concurrency.baseline", float64(p.Baseline), 0, most)
	if p.Seconds != nil {
		within("provisioned-concurrency.seconds", *p.Seconds, 0, MaxSeconds)
	}
	if p.Alias > 0 && p.Baseline > 0 {
		return problemAt("provisioned-concurrency", "must be of the alias or of the baseline: AWS does not allow both", nil)
	}
	return nil
}

// provision gives the alias or the baseline its provisioned concurrency.
func (r *run) provision() error {
	p := r.options.Scenario.Provisioned
	if p == nil {
		return nil
	}
	function, took := r.request.Function(), float64(usualAllocation)
	if p.Seconds != nil {
		took = *p.Seconds
	}
	r.server.SetAllocating(localaws.Allocating{Takes: seconds(took), Locks: p.Locks})
	alias, ok := r.server.Alias(function, r.request.AliasName)
	if !ok {
		return nil
	}
	var problems []error
	if p.Alias > 0 {
		problems = append(problems, r.server.AddProvisioned(function, alias.Name, int32(p.Alias)))
	}
	if p.Baseline > 0 {
		problems = append(problems, r.server.AddProvisioned(function, alias.Version, int32(p.Baseline)))
	}
	return errors.Join(append(problems, r.server.FailAllocations(function, r.request.NewVersion, p.Fails))...)
}

// allocates returns the text of an entry for the state Allocate.
func allocates(s rollout.State) string {
	if s.Begin == rollout.BeginAllocating {
		return fmt.Sprintf("version %s gets a provisioned concurrency of %d, as the baseline has; AWS is allocating it", s.NewVersion, s.Provision().Allocate)
	}
	return fmt.Sprintf("version %s has a provisioned concurrency of its own", s.NewVersion)
}
