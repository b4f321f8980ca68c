package rollout

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Hooks are functions that are called once in a rollout. Anything but success rolls
// it back.
type Hooks struct {
	// PreTraffic are called before the first shift, PostTraffic before the
	// promotion.
	PreTraffic  []Hook `json:"pre-traffic,omitempty"`
	PostTraffic []Hook `json:"post-traffic,omitempty"`
}

// Hook is a function that is called once, with the rollout's Facts. It is called
// again if its answer is lost with the task that called it.
type Hook struct {
	// Function is its name, partial ARN or ARN, with or without a version or an
	// alias, as given.
	Function string `json:"function"`
	// Timeout is how long the rollout waits for its answer, in seconds, 1 to 600.
	Timeout int64 `json:"timeout"`
	// Payload is JSON that it receives beside the facts, as "input".
	Payload json.RawMessage `json:"payload"`
}

// Limits of hooks.
const (
	MaxHooks           = 10  // of each kind
	MaxHookTimeout     = 600 // seconds
	DefaultHookTimeout = 60  // seconds
)

var (
	hooksNames = []string{"pre-traffic", "post-traffic"}
	hookNames  = []string{"function", "timeout", "payload"}
)

// hooks reads the hooks of both kinds.
func (r *reader) hooks(path string) Hooks {
	kinds := r.object(path)
	hooks := Hooks{PreTraffic: kinds.hookList("pre-traffic"), PostTraffic: kinds.hookList("post-traffic")}
	kinds.refuseUnknown(hooksNames)
	return hooks
}

func (r *reader) hookList(path string) []Hook {
	var hooks []Hook
	for _, item := range r.elements(path, MaxHooks, "function", wantCall) {
		hook := Hook{
			Function: item.called("function"),
			Timeout:  item.integer("timeout", 1, MaxHookTimeout, DefaultHookTimeout),
			Payload:  item.value("payload", "{}"),
		}
		if hook.Function != "" && slices.ContainsFunc(hooks, func(h Hook) bool {
			return h.Function == hook.Function && bytes.Equal(h.Payload, hook.Payload)
		}) {
			item.refuse("function", wantNewCall)
		}
		item.refuseUnknown(hookNames)
		hooks = append(hooks, hook)
	}
	return hooks
}
