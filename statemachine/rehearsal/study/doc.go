// Package study repeats rehearsals with other random numbers, to learn what
// becomes of a rollout in general: how often it is promoted, rolled back or
// raises a false alarm, how soon it rolls back, and how many requests fail.
//
//   - [Repeat] runs one rollout in one scenario many times, and returns the
//     [Distribution] of what became of it.
//   - [Advise] does that for several plans of a rollout, and names the best one.
package study
