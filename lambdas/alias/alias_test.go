package alias_test

import (
	"context"
	"errors"
	"fmt"
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
		Owner: "deploy-42", Description: "serves everybody",
	}}
}

// stands is the alias as AWS has it.
func (w world) stands() string {
	a, _ := w.server.Alias("f", "live")
	return alias.Routing{Version: a.Version, Weights: a.Weights()}.String()
}

func (w world) revision() string {
	a, _ := w.server.Alias("f", "live")
	return a.RevisionID
}

func (w world) description() string {
	a, _ := w.server.Alias("f", "live")
	return a.Description
}

func (w world) want(routing string) {
	w.t.Helper()
	if got := w.stands(); got != routing {
		w.t.Errorf("the alias is on %s, want %s", got, routing)
	}
}

// write is another user's change. An empty description stays as it is.
func (w world) write(version string, weights map[string]float64, description string) {
	w.t.Helper()
	in := &lambda.UpdateAliasInput{
		FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: &version,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	}
	if description != "" {
		in.Description = &description
	}
	if _, err := w.client.UpdateAlias(context.Background(), in); err != nil {
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
		{0, 0.1, "version 1 with 10% on version 2"},
		{0.1, 0.5, "version 1 with 50% on version 2"},
		{0.5, 1, "version 1 with 100% on version 2"},
	} {
		var err error
		if revision, err = w.traffic.Shift(ctx, step.from, step.to, revision); err != nil {
			t.Fatal(err)
		}
		w.want(step.want)
		if want := fmt.Sprintf("serves everybody [rollout deploy-42 1->2 %v%%]", 100*step.to); w.description() != want {
			t.Errorf("described as %q, want %q", w.description(), want)
		}
		if revision != w.revision() {
			t.Errorf("returned revision %s, the alias has %s", revision, w.revision())
		}
	}
	if _, err := w.traffic.Promote(ctx, 1, revision); err != nil {
		t.Fatal(err)
	}
	w.want("version 2")
	if w.description() != "serves everybody" {
		t.Errorf("the description has become %q", w.description())
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

// foreign changes that somebody may make while the weight is 10%.
var foreignChanges = map[string]func(world){
	"another version":     func(w world) { w.write("3", nil, "") },
	"another weight":      func(w world) { w.write("1", map[string]float64{"2": 0.77}, "") },
	"a third version":     func(w world) { w.write("1", map[string]float64{"3": 0.1}, "") },
	"weights cleared":     func(w world) { w.write("1", nil, "") },
	"another description": func(w world) { w.write("1", map[string]float64{"2": 0.1}, "mine now") },
	"deleted": func(w world) {
		if _, err := w.client.DeleteAlias(context.Background(), &lambda.DeleteAliasInput{FunctionName: aws.String("f"), Name: aws.String("live")}); err != nil {
			w.t.Fatal(err)
		}
	},
}

// TestAForeignChangeStands lets another user write between two of our writes:
// no write of ours goes over it, and the error says what was found.
func TestAForeignChangeStands(t *testing.T) {
	ctx := context.Background()
	for name, change := range foreignChanges {
		w := newWorld(t)
		revision, err := w.traffic.Shift(ctx, 0, 0.1, w.revision())
		if err != nil {
			t.Fatal(err)
		}
		change(w)
		theirs := w.revision()
		var changed *alias.ConflictError
		if _, err := w.traffic.Shift(ctx, 0.1, 0.2, revision); !errors.As(err, &changed) {
			t.Errorf("%s: shifting gives %v", name, err)
		} else if (changed.Found == nil) != (theirs == "") {
			t.Errorf("%s: found %v", name, changed.Found)
		}
		if _, err := w.traffic.Promote(ctx, 0.1, revision); !errors.As(err, &changed) {
			t.Errorf("%s: promoting gives %v", name, err)
		}
		if w.revision() != theirs {
			t.Errorf("%s: the alias was written after it", name)
		}
	}
}

// TestTheSameWrittenAnewIsOursStill: it bears our marker and our split.
func TestTheSameWrittenAnewIsOursStill(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	revision, err := w.traffic.Shift(ctx, 0, 0.1, w.revision())
	if err != nil {
		t.Fatal(err)
	}
	w.write("1", map[string]float64{"2": 0.1}, "")
	if revision, err = w.traffic.Shift(ctx, 0.1, 0.2, revision); err != nil || revision != w.revision() {
		t.Errorf("shifting gives %v", err)
	}
	w.want("version 1 with 20% on version 2")
	w = newWorld(t)
	revision = w.revision()
	w.write("1", nil, "")
	var changed *alias.ConflictError
	if _, err := w.traffic.Shift(ctx, 0, 0.1, revision); !errors.As(err, &changed) {
		t.Errorf("before it is ours, it gives %v", err)
	}
}

func TestOfTwoRolloutsTheSecondIsToldOfTheFirst(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	before := w.revision()
	if _, err := w.traffic.Shift(ctx, 0, 0.1, before); err != nil {
		t.Fatal(err)
	}
	second := w.traffic
	second.Owner, second.NewVersion = "deploy-43", "3"
	var taken *alias.OwnedError
	if _, err := second.Shift(ctx, 0, 0.5, before); !errors.As(err, &taken) || taken.By.Owner != "deploy-42" {
		t.Errorf("got %v", err)
	}
	w.want("version 1 with 10% on version 2")
}

func TestWhatIsNotThere(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	store := alias.NewLambda(w.client)
	_, noAlias := store.Read(ctx, alias.Name{Function: "f", Alias: "dead"})
	_, noFunction := store.Read(ctx, alias.Name{Function: "g", Alias: "live"})
	_, noVersion := store.Version(ctx, "f", "4")
	for what, err := range map[string]error{"alias": noAlias, "function": noFunction, "version": noVersion} {
		if !errors.Is(err, alias.ErrNotFound) {
			t.Errorf("no such %s: %v", what, err)
		}
	}
	if v, err := store.Version(ctx, "f", "3"); err != nil || v.State != "Active" || v.LastUpdate != "Successful" || v.Role == "" {
		t.Errorf("a version that is there: %+v, %v", v, err)
	}
}
