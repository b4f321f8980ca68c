package rehearsal_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage lie for longer, as the command does: thousands of rehearsals
// make a lot of it, and keep little. Nor is it sampled, unless -memprofilerate says so.
func TestMain(m *testing.M) {
	runtime.MemProfileRate = 0
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
