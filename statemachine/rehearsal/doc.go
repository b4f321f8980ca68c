// Package rehearsal runs a rollout on this machine in virtual time: the deployed
// state machine and the deployed task code, against a local AWS that real SDK
// clients call. It shows what would happen, and why, before anything real is
// changed.
//
//   - [Run] rehearses the rollout of an execution's input, as its [Options] say, and
//     returns the [Result]: the outcome with its reason, what each version served,
//     the final alias, the cost, and the timeline of [Entry] values.
//   - A [Scenario] has the conditions: the traffic, the [VersionProfile] of both
//     versions, the [Dependencies] of gates, [Change] values during the rollout, and
//     [Fault] values of AWS. [LoadBuiltIn] returns one that comes with the package,
//     and [ParseScenario] reads one from JSON.
//   - A [Template] adds the permissions of a stack's roles.
//   - [NewRecording] reads a rollout on AWS from the histories of its executions. A
//     [Recording] has the same Result, and makes a Scenario to rehearse again.
//   - [Count] returns what a rollout uses of all that AWS bills, and [Table] prices
//     it.
//
// A rehearsal is deterministic: the same options and seed give the same result.
// Package study repeats rehearsals with other seeds, and package report makes pages
// about them.
package rehearsal
