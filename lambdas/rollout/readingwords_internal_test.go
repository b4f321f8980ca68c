package rollout

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestLinesAreThoseOfEachForm of the readings, in their order, also where one is in another.
func TestLinesAreThoseOfEachForm(t *testing.T) {
	simple := func(text string, readings []Reading) string {
		for _, r := range readings {
			for _, said := range []string{r.String(), r.objection(), r.earlier()} {
				text = strings.ReplaceAll(text, separator+said, "\n"+said)
			}
		}
		return text
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for range 20_000 {
		var readings []Reading
		text := "step 1 of 2 ended"
		for range random.IntN(4) {
			r := Reading{
				Gate: pick(ErrorsGateName, "latency", "a", ""), Status: Status(pick("pass", "fail", "inconclusive")),
				Verdict: Verdict(pick("", "", "hold", "proven", "roll-back")), Reason: pick("slow", "no data", "a: no data; slow", "", "errors: slow"),
			}
			readings = append(readings, r)
			said := []string{r.String(), r.objection(), r.earlier(), r.Reason}[random.IntN(4)]
			text += pick(separator, separator, " ") + said
		}
		if got, want := Lines(text, readings), simple(text, readings); got != want {
			t.Fatalf("%q with %+v: %q, want %q", text, readings, got, want)
		}
		if got, want := afterwards(readings), separator+joined(readings, Reading.String); len(readings) > 0 && got != want {
			t.Fatalf("%+v: %q, want %q", readings, got, want)
		}
	}
}
