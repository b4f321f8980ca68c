package alias_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/lambda-rollout/lambda-rollout/lambdas/alias"
)

// memory is a Store of one alias.
type memory struct {
	alias.Alias
	writes int
}

func (m *memory) Read(context.Context, alias.Name) (alias.Alias, error) { return m.Alias, nil }

func (m *memory) Write(_ context.Context, _ alias.Name, to alias.Content, revisionID string) (alias.Alias, error) {
	if revisionID != m.RevisionID {
		return alias.Alias{}, alias.ErrStale
	}
	m.writes++
	m.Alias = alias.Alias{Content: to, RevisionID: "revision-" + strconv.Itoa(m.writes)}
	return m.Alias, nil
}

func ExampleTraffic_Shift() {
	ctx := context.Background()
	store := &memory{Alias: alias.Alias{
		Content:    alias.Content{Routing: alias.Routing{Version: "7"}, Description: "production"},
		RevisionID: "revision-0",
	}}
	traffic := alias.Traffic{
		Store: store, Name: alias.Name{Function: "my-function", Alias: "live"},
		Baseline: "7", NewVersion: "8",
		Owner: "monday", Description: "production", Started: store.RevisionID,
	}
	first, err := traffic.Shift(ctx, 0, 0.25, store.RevisionID)
	fmt.Println(first, err)
	fmt.Println(store.Version, store.Weights, store.Description)

	// The response was lost, and the shift is retried: it finds that it is done.
	again, err := traffic.Shift(ctx, 0, 0.25, "revision-0")
	fmt.Println(again, err, store.writes)

	// Another user points the alias at version 9: the next shift leaves it so.
	_, _ = store.Write(ctx, traffic.Name, alias.Content{Routing: alias.Routing{Version: "9"}}, store.RevisionID)
	_, err = traffic.Shift(ctx, 0.25, 0.5, first)
	fmt.Printf("%T\n", err)
	fmt.Println(store.Version, store.Weights)
	// Output:
	// revision-1 <nil>
	// 7 map[8:0.25] production [rollout monday 7->8 25%]
	// revision-1 <nil> 1
	// *alias.ConflictError
	// 9 map[]
}
