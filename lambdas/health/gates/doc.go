// Package gates has the sources of health that are asked: probes, endpoints,
// check functions and hooks.
//
// [Factory] makes the gates of a request, and [ReadAll] asks them side by side. A
// [Gate] returns a reading, which is pass, fail or inconclusive, with a reason:
// what a source gets wrong, or answers late, is inconclusive. An error means
// that the whole check is worth another attempt.
package gates
