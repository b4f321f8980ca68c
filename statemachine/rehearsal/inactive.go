package rehearsal

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// restoring is how long an Inactive version is Pending after its first request. AWS
// documents no time; 40 to 106 s were observed.
const restoring = time.Minute

// deactivate makes the versions Inactive that are so when the rollout starts. It comes
// before the traffic.
func (r *run) deactivate() error {
	s, function := r.options.Scenario, r.request.Function()
	if s.NewVersion.Inactive {
		if stack := r.options.Stack; stack != nil && stack.Publish {
			return errors.New("the stack publishes the new version, so it can't be Inactive")
		}
		if err := r.server.MakeInactive(function, r.request.NewVersion, restoring); err != nil {
			return fmt.Errorf("the new version: %w", err)
		}
	}
	if alias, ok := r.server.Alias(function, r.request.AliasName); ok && s.Baseline.Inactive {
		if err := r.server.MakeInactive(function, alias.Version, restoring); err != nil {
			return fmt.Errorf("the baseline: %w", err)
		}
	}
	return nil
}

// active reports whether a version is Active.
func (t *traffic) active(version string) bool {
	c, ok := t.aws.Configuration(t.function, version)
	return ok && (c.State == "" || c.State == types.StateActive)
}
