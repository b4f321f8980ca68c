package telemetry

import (
	"slices"
	"sync"
)

// remembered is how many names a Once keeps.
const remembered = 100

// Once tells what is counted for the first time from what comes again, as far
// as this process remembers. Its zero value remembers nothing yet; nil never
// remembers anything.
type Once struct {
	mutex sync.Mutex
	names []string
}

// First tells whether a name is new, and remembers it.
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
