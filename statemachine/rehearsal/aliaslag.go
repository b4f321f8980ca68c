package rehearsal

import (
	"cmp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// AliasLag is how long changes of the alias take until they are seen, in seconds, at
// most a day each; no time if it is left out. AWS documents no bound.
type AliasLag struct {
	// AliasReadLag is how long after a change GetAlias answers with the alias as it was
	// before.
	AliasReadLag *float64 `json:"alias-read-lag,omitempty"`
	// AliasRoutingLag is how long after a change requests are routed as before it.
	AliasRoutingLag *float64 `json:"alias-routing-lag,omitempty"`
}

// check passes the numbers and their bounds to within.
func (l AliasLag) check(path string, within func(path string, value, low, high float64)) {
	const most = 24 * 60 * 60
	if l.AliasReadLag != nil {
		within(path+"alias-read-lag", *l.AliasReadLag, 0, most)
	}
	if l.AliasRoutingLag != nil {
		within(path+"alias-routing-lag", *l.AliasRoutingLag, 0, most)
	}
}

// changed returns the lag with that of a change.
func (l AliasLag) changed(c AliasLag) AliasLag {
	return AliasLag{cmp.Or(c.AliasReadLag, l.AliasReadLag), cmp.Or(c.AliasRoutingLag, l.AliasRoutingLag)}
}

// local converts the lag for the local AWS.
func (l AliasLag) local() localaws.AliasLag {
	return localaws.AliasLag{Reads: seconds(of(l.AliasReadLag)), Routing: seconds(of(l.AliasRoutingLag))}
}
