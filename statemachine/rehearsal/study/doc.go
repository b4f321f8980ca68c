// Package study repeats rehearsals with different random numbers, to estimate how
// often a rollout is promoted, rolled back or raises a false alarm, how soon it
// rolls back, and how many requests fail.
//
//   - [Repeat] rehearses one rollout in one scenario many times, and returns the
//     [Distribution] of the results.
//   - [Advise] does that for several plans of a rollout, with a harmless and with a
//     harmful version, and names the best ones.
//
// All estimates have confidence intervals. Rehearsals run on all cores; the same
// input, scenario and seed give the same answer on any number of cores.
package study
