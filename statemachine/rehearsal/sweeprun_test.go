package rehearsal

import "testing"

func TestSweepOfFaults(t *testing.T) {
	t.Parallel()
	sweep(t, "call × fault", faultTrials(t))
	sweep(t, "task × crash or double delivery", crashTrials(t))
	sweep(t, "event or call × StopExecution", stopTrials(t))
	sweep(t, "call boundary × foreign change", foreignTrials(t))
	sweep(t, "call × a second rollout", contestTrials(t))
	sweep(t, "call × stray event and sweep", strayTrials(t))
}
