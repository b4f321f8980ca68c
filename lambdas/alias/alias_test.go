package alias_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"pgregory.net/rapid"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

var live = alias.Name{Function: "f", Alias: "live"}

// world is a function f with the versions 1 to 3 and the alias live on version 1,
// in a local AWS that the real client of AWS Lambda talks to.
type world struct {
	t       rapid.TB
	server  *localaws.Server
	client  *lambda.Client
	traffic alias.Traffic
}

func newWorld(t rapid.TB) world {
	t.Helper()
	server := localaws.New(localaws.Options{})
	if err := errors.Join(server.AddFunction("f", 1, 2, 3), server.AddAlias("f", "live", "1", "serves everybody")); err != nil {
		t.Fatal(err)
	}
	client := lambda.NewFromConfig(server.Config())
	return world{t: t, server: server, client: client, traffic: alias.Traffic{
		Store: alias.NewLambda(client), Name: live, Baseline: "1", NewVersion: "2",
	}}
}

// stands is the alias as AWS has it.
func (w world) stands() string {
	a, _ := w.server.Alias("f", "live")
	routing := alias.Routing{Version: a.Version}
	if a.Additional != "" {
		routing.Weights = map[string]float64{a.Additional: a.Weight}
	}
	return routing.String()
}

func (w world) revision() string {
	a, _ := w.server.Alias("f", "live")
	return a.RevisionID
}

func (w world) want(routing string) {
	w.t.Helper()
	if got := w.stands(); got != routing {
		w.t.Errorf("the alias is on %s, want %s", got, routing)
	}
}

// write is somebody else's change.
func (w world) write(version string, weights map[string]float64) {
	w.t.Helper()
	if _, err := w.client.UpdateAlias(context.Background(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: &version,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) inject(f localaws.Fault) {
	w.t.Helper()
	if _, err := w.server.Inject(f); err != nil {
		w.t.Fatal(err)
	}
}

func TestARolloutsWrites(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	revision := w.revision()
	for _, step := range []struct {
		from, to float64
		want     string
	}{
		{0, 0.1, "version 1 with 10 % on version 2"},
		{0.1, 0.5, "version 1 with 50 % on version 2"},
		{0.5, 1, "version 1 with 100 % on version 2"},
	} {
		var err error
		if revision, err = w.traffic.Shift(ctx, step.from, step.to, revision); err != nil {
			t.Fatal(err)
		}
		w.want(step.want)
		if revision != w.revision() {
			t.Errorf("returned revision %s, the alias has %s", revision, w.revision())
		}
	}
	if _, err := w.traffic.Promote(ctx, 1, revision); err != nil {
		t.Fatal(err)
	}
	w.want("version 2")
	if a, _ := w.server.Alias("f", "live"); a.Description != "serves everybody" {
		t.Errorf("the description has become %q", a.Description)
	}
}

// TestAWriteMayBeRepeated loses each write's answer after its effect, and
// delivers each twice: the second try finds that it is done.
func TestAWriteMayBeRepeated(t *testing.T) {
	ctx := context.Background()
	for name, write := range map[string]func(alias.Traffic, string) (string, error){
		"shift":   func(t alias.Traffic, revision string) (string, error) { return t.Shift(ctx, 0, 0.1, revision) },
		"promote": func(t alias.Traffic, revision string) (string, error) { return t.Promote(ctx, 0, revision) },
	} {
		w := newWorld(t)
		before := w.revision()
		w.inject(localaws.Fault{Operation: "UpdateAlias", Kind: localaws.CutAfter, Count: 1})
		if _, err := write(w.traffic, before); err == nil {
			t.Fatalf("%s: the lost answer went unnoticed", name)
		}
		done := w.stands()
		for range 2 {
			revision, err := write(w.traffic, before)
			if err != nil || revision != w.revision() {
				t.Errorf("%s again: revision %q, error %v", name, revision, err)
			}
			w.want(done)
		}
	}
}

// TestAForeignChangeStands lets somebody else write at every point of a
// rollout: no write of ours goes over it, and the error says what was found.
func TestAForeignChangeStands(t *testing.T) {
	ctx := context.Background()
	for name, foreign := range map[string]struct {
		version string
		weights map[string]float64
	}{
		"another version":   {"3", nil},
		"another weight":    {"1", map[string]float64{"2": 0.77}},
		"a third version":   {"1", map[string]float64{"3": 0.1}},
		"the same, written": {"1", map[string]float64{"2": 0.1}},
	} {
		w := newWorld(t)
		revision, err := w.traffic.Shift(ctx, 0, 0.1, w.revision())
		if err != nil {
			t.Fatal(err)
		}
		w.write(foreign.version, foreign.weights)
		theirs := w.stands()
		var changed *alias.Changed
		if _, err := w.traffic.Shift(ctx, 0.1, 0.2, revision); !errors.As(err, &changed) {
			t.Errorf("%s: shifting gives %v", name, err)
		} else if changed.Found.String() != theirs {
			t.Errorf("%s: found %s", name, changed.Found)
		}
		if _, err := w.traffic.Promote(ctx, 0.1, revision); !errors.As(err, &changed) {
			t.Errorf("%s: promoting gives %v", name, err)
		}
		w.want(theirs)
	}
}

func TestRestore(t *testing.T) {
	ctx := context.Background()
	for _, test := range []struct {
		name    string
		version string
		weights map[string]float64
		want    string
		wrote   bool
		foreign bool
	}{
		{name: "untouched", version: "1", want: "version 1"},
		{name: "split", version: "1", weights: map[string]float64{"2": 0.3}, want: "version 1", wrote: true},
		{name: "all on the new version", version: "1", weights: map[string]float64{"2": 1}, want: "version 1", wrote: true},
		{name: "promoted", version: "2", want: "version 1", wrote: true},
		{name: "moved on by somebody else", version: "3", want: "version 3", foreign: true},
		{name: "split with another version", version: "1", weights: map[string]float64{"3": 0.3}, want: "version 1 with 30 % on version 3", foreign: true},
		{name: "in somebody else's rollout", version: "2", weights: map[string]float64{"3": 0.3}, want: "version 2 with 30 % on version 3", foreign: true},
	} {
		w := newWorld(t)
		w.write(test.version, test.weights)
		for try, wrote := range []bool{test.wrote, false} {
			got, err := w.traffic.Restore(ctx)
			var changed *alias.Changed
			if got != wrote || errors.As(err, &changed) != test.foreign || (err != nil) != test.foreign {
				t.Errorf("%s, try %d: wrote %v, error %v", test.name, try+1, got, err)
			}
			w.want(test.want)
		}
	}
}

// TestRestoreGivesUpAgainstAConstantWriter shows that a restore whose read is
// out of date by the time of its write reads again, and not for ever.
func TestRestoreGivesUpAgainstAConstantWriter(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.write("1", map[string]float64{"2": 0.3})
	busy := busyStore{Store: alias.NewLambda(w.client), busy: 2, write: func() { w.write("1", map[string]float64{"2": 0.4}) }}
	traffic := w.traffic
	traffic.Store = &busy
	if _, err := traffic.Restore(ctx); err != nil {
		t.Errorf("two changes meanwhile: %v", err)
	}
	w.want("version 1")
	w.write("1", map[string]float64{"2": 0.3})
	busy.busy = 100
	if _, err := traffic.Restore(ctx); !errors.Is(err, alias.ErrStale) {
		t.Errorf("constant changes: %v", err)
	}
}

// busyStore has somebody else write right after each of its reads.
type busyStore struct {
	alias.Store
	busy  int
	write func()
}

func (s *busyStore) Read(ctx context.Context, name alias.Name) (alias.Alias, error) {
	a, err := s.Store.Read(ctx, name)
	if s.busy > 0 {
		s.busy--
		s.write()
	}
	return a, err
}

func TestWhatIsNotThere(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	store := alias.NewLambda(w.client)
	_, noAlias := store.Read(ctx, alias.Name{Function: "f", Alias: "dead"})
	_, noFunction := store.Read(ctx, alias.Name{Function: "g", Alias: "live"})
	noVersion := store.Version(ctx, "f", "4")
	for what, err := range map[string]error{"alias": noAlias, "function": noFunction, "version": noVersion} {
		if !errors.Is(err, alias.ErrNotFound) {
			t.Errorf("no such %s: %v", what, err)
		}
	}
	if err := store.Version(ctx, "f", "3"); err != nil {
		t.Errorf("a version that is there: %v", err)
	}
}
