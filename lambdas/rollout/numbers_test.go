package rollout_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
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

// TestPercentIsTheRoundedNumber in full, however small or large.
func TestPercentIsTheRoundedNumber(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 50_000 {
		share := random.Float64() * math.Pow(10, float64(random.IntN(12)-9))
		if i <= 2000 {
			share = float64(i) / 2000
		}
		digits := 2
		if share*100 >= 10 {
			digits = 3
		}
		number, err := strconv.ParseFloat(strconv.FormatFloat(share*100, 'g', digits, 64), 64)
		if got, want := rollout.Percent(share), strconv.FormatFloat(number, 'f', -1, 64)+"%"; err != nil || got != want {
			t.Fatalf("%v is %s, want %s", share, got, want)
		}
	}
}

// TestThousandsHaveAllDigits, and a comma before each three of them.
func TestThousandsHaveAllDigits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := random.Int64() >> random.IntN(64) * int64(1-2*random.IntN(2))
		got, digits := rollout.Thousands(n), strings.TrimPrefix(fmt.Sprint(n), "-")
		if strings.ReplaceAll(got, ",", "") != fmt.Sprint(n) || strings.Count(got, ",") != (len(digits)-1)/3 || string(rollout.AppendThousands([]byte("12"), n)) != "12"+got {
			t.Errorf("%d: %s", n, got)
		}
	}
}
