package rollout_test

import (
	"math"
	"testing"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// TestThousands of numbers with and without a sign, up to the largest.
func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 12: "12", 999: "999", 1000: "1,000", 10812: "10,812", 123456: "123,456", 1234567: "1,234,567",
		-7: "-7", -999: "-999", -1000: "-1,000", -123456: "-123,456",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := rollout.Thousands(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestPercent of shares with two digits and three.
func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0%", 1: "100%", 0.026: "2.6%", 0.0264: "2.6%", 0.1234: "12.3%", 0.12345: "12.3%", 0.00001: "0.001%", 1e-9: "0.0000001%", 1e-12: "0.0000000001%",
	} {
		if got := rollout.Percent(share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
}
