package rehearsal

import "time"

// restoring is how long an Inactive version is Pending after its first request. AWS
// documents no time; 40 to 106 s were observed.
const restoring = time.Minute

// deactivate makes the versions Inactive that are so when the rollout starts.
func (r *run) deactivate() error {
	s := r.options.Scenario
	alias, ok := r.server.Alias(r.request.Function(), r.request.AliasName)
	for _, v := range []struct {
		is      bool
		version string
	}{{s.Baseline.Inactive && ok, alias.Version}, {s.NewVersion.Inactive, r.request.NewVersion}} {
		if !v.is {
			continue
		}
		if err := r.server.MakeInactive(r.request.Function(), v.version, restoring); err != nil {
			return err
		}
		if r.traffic.inactive == nil {
			r.traffic.inactive = map[string]bool{}
		}
		r.traffic.inactive[v.version] = true
	}
	return nil
}

// activate sends a version that was Inactive a request at a time, and reports whether it
// is served.
func (t *traffic) activate(version string, at time.Time) bool {
	if !t.aws.Invokable(t.function, version, at) {
		return false
	}
	delete(t.inactive, version)
	return true
}
