package localaws

import (
	"math"
	"regexp"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"pgregory.net/rapid"
)

// TestParseStatistic holds statistics of a distribution to CloudWatch's own pattern for them, as far as it is supported.
func TestParseStatistic(t *testing.T) {
	const bound = `\d+(?:\.\d{0,10})?(?:[Ee][+-]?\d+)?`
	pattern := regexp.MustCompile(`^(?:(p)(\d{1,2}(?:\.\d{0,10})?|100(?:\.0{0,10})?)|(TC|PR)\((` + bound + `)?:(` + bound + `)?\))$`)
	want := func(name string) (statistic, bool) {
		part := pattern.FindStringSubmatch(name)
		if part == nil || part[3] != "" && part[4] == "" && part[5] == "" {
			return statistic{}, false
		}
		s := statistic{kind: part[1] + part[3], low: math.Inf(-1), high: math.Inf(1)}
		for i, number := range map[int]*float64{2: &s.percent, 4: &s.low, 5: &s.high} {
			if part[i] == "" {
				continue
			}
			var err error
			if *number, err = strconv.ParseFloat(part[i], 64); err != nil {
				return statistic{}, false
			}
		}
		return s, s.low < s.high
	}
	supported := 0
	check := func(t interface{ Errorf(string, ...any) }, name string) {
		s, ok := parseStatistic(name)
		wanted, should := want(name)
		if ok != should || ok && s != wanted {
			t.Errorf("%q: %+v, %v; want %+v, %v", name, s, ok, wanted, should)
		}
		if ok {
			supported++
		}
	}
	part := rapid.SampledFrom([]string{"p", "P", "TC", "PR", "TM", "(", ")", ":", ".", "0", "7", "99", "100", "0000000000", "e", "E", "+", "-", "_", "٣", " ", "\n", "e400"})
	number := rapid.StringMatching(`[0-9]{0,3}(\.[0-9]{0,11})?([eE][+-]?[0-9]{0,3})?`)
	rapid.Check(t, func(rt *rapid.T) {
		check(rt, "p"+number.Draw(rt, "percent"))
		check(rt, rapid.SampledFrom([]string{"TC", "PR"}).Draw(rt, "kind")+"("+number.Draw(rt, "low")+":"+number.Draw(rt, "high")+")")
		text := ""
		for range rapid.IntRange(0, 7).Draw(rt, "parts") {
			text += part.Draw(rt, "part")
		}
		check(rt, text)
	})
	if supported == 0 {
		t.Error("none was supported")
	}
	for _, plain := range types.StatisticSum.Values() {
		if s, ok := parseStatistic(string(plain)); !ok || s != (statistic{plain: plain}) {
			t.Errorf("%s: %+v, %v", plain, s, ok)
		}
	}
}
