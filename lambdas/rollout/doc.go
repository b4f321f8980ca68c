// Package rollout is the domain: what a person asks for (Request), what will
// be done about it (Plan), how far it has come (Progress), how the new version
// is doing (Reading, Health) and what follows from that (Decision).
//
// Everything here is a pure function of data. There is no AWS, no clock and no
// randomness inside: times come in as arguments, and the same input always
// gives the same answer. That is what makes a rollout replayable, and what
// lets a rehearsal run it in virtual time.
//
// A rollout reads like this, from StartExecution to the last UpdateAlias:
//
//  1. Decode turns the execution's input into a Request, or says everything
//     that is wrong with it at once.
//  2. Request.Schedule lays out its steps: a weight each, and how long it lasts.
//  3. State.Shifted notes each shift of the alias; State.Check takes the gates'
//     readings and says in State.Health what to do next: watch, advance, promote
//     or roll back.
//
// State is the execution's data as the Step Functions console shows it.
package rollout
