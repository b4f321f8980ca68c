// Package release is the domain of releases: several rollouts that are promoted or
// rolled back as one. Like package rollout it is pure: it knows no AWS, no clock and no
// randomness.
//
// A [Request] is the input of a release. Each of its [Member]s becomes one execution of
// the rollout workflow, whose name and input follow from the request, so that starting it
// may be repeated. [State] is the data of the release's execution: it has a line for each
// member, and not their inputs. These are in the input of the release's first execution,
// its owner, which Step Functions keeps and no one can change.
//
// [State.Check] decides how a release continues, from what was [Seen] of its members. With
// Together set, the decision to promote or to roll back is a single write of [Names].Decision:
// whoever creates that parameter first has decided. Members read it at each of their
// checks; see rollout.Instructions.
package release
