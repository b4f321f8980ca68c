package gates_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health/gates"
)

func TestPendingTakesALateAnswer(t *testing.T) {
	var (
		soon, late gates.Pending[int]
		never      gates.Pending[int]
		tooLate    = errors.New("too late")
		goOn, came = make(chan struct{}), make(chan struct{})
	)
	answer := late.Expect(func(context.Context) (int, error) {
		<-goOn
		return 2, nil
	}, 0, tooLate)
	gates.RunParallel(context.Background(), 50*time.Millisecond, []func(context.Context){
		soon.Expect(func(context.Context) (int, error) { return 1, nil }, 0, tooLate),
		func(ctx context.Context) {
			defer close(came)
			answer(ctx)
		},
	})
	check := func(when string, p *gates.Pending[int], want int, wantErr error) {
		t.Helper()
		if got, err := p.Get(); got != want || !errors.Is(err, wantErr) {
			t.Errorf("%s: %d, %v; want %d, %v", when, got, err, want, wantErr)
		}
	}
	check("an answer in time", &soon, 1, nil)
	check("a late answer, before it came", &late, 0, tooLate)
	check("no question", &never, 0, nil)
	close(goOn)
	<-came
	check("a late answer, after it came", &late, 2, nil)
	late.Update(func(n *int) { *n += 3 })
	check("an updated answer", &late, 5, nil)
}
