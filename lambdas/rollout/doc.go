// Package rollout is the domain of lambda-rollout: moving an alias of a Lambda
// function from its baseline to a new version, step by step, as long as the new
// version is healthy.
//
// Everything here is a pure function of data. Nothing calls AWS, reads a clock or
// draws a random number: times are arguments, and the same input always gives the
// same answer. A rollout can therefore be replayed, and rehearsed in virtual time. Only
// [Decode] and [Request.Timing] look outside, for time zone data: a plan carries what
// its windows need of these.
//
// # From an input to an outcome
//
//  1. [Decode] turns an execution's input into a [Request], or returns a
//     [RequestError] with every [Problem] of it. [ReadResume] reads the input of
//     an execution that continues a long rollout.
//  2. [Request.Schedule] lays out the [Step] values of a [Plan]: a weight and a
//     duration each. The weights come from a [Curve] or a CodeDeploy preset.
//     [Request.Timing] adds when each begins, as windows and freezes allow.
//  3. [State.Shifted] records that the alias was moved to the next step's weight.
//  4. [State.BeginCheck] records that the wait before a check ended, and
//     [State.Check] decides what follows from the gates' [Reading] values and the
//     operators' [Order] values. The [Decision] in [State].Health is what the
//     workflow branches on: watch, advance, promote, roll back, and a few more.
//  5. [State.Promoted] and [State.RollbackReason] describe the outcome.
//
// [State.JudgePhase] decides about the hooks and probes that run once, before the
// first shift or before the promotion.
//
// # Data
//
// [State] is the execution's data, as the Step Functions console shows it at each
// state of the workflow. Its JSON is documented for users; so is that of a
// [Notification]. [Facts] are the data that gates and hooks receive.
//
// # Words
//
// What people read is written in four files: words.go (why a check decided as it
// did, how a rollout ended), wants.go (what is wrong with a request), windowwords.go
// (both, of windows and freezes) and numbers.go. Programs read the data beside it,
// never the sentences.
package rollout
