package telemetry

import (
	"slices"
	"sync"
)

// remembered is the number of names that a Once keeps.
const remembered = 100

// Once distinguishes what is counted for the first time from what repeats, as far as this
// process remembers: the last 100 names. Its zero value is ready for use; nil remembers
// nothing. It may be used concurrently.
type Once struct {
	mutex sync.Mutex
	names []string
}

// First reports whether a name is new, and remembers it.
func (o *Once) First(name string) bool {
	if o == nil {
		return true
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if slices.Contains(o.names, name) {
		return false
	}
	o.names = append(o.names[max(0, len(o.names)-remembered+1):], name)
	return true
}
