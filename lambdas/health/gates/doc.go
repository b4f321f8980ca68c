// Package gates has the sources of health beside CloudWatch, which are asked: probes
// of the new version, HTTPS endpoints, check functions, and hooks before and after
// the traffic.
//
//   - A [Gate] is one source. Its Read returns a reading: pass, fail or inconclusive,
//     with a reason in words.go. A source that is wrong or late is inconclusive; an
//     error means that the whole check should be retried.
//   - [Factory] makes the gates of a request, for a check during a step, before the
//     first shift and before the promotion.
//   - [ReadAll] reads gates in parallel, within a limit of time.
//   - [Lambda] invokes functions, and [NewHTTPClient] reaches public addresses alone:
//     the gates know interfaces, so that a rehearsal can answer in virtual time.
//
// A new kind of gate is a file here, with a constructor, and a line in [Factory]. Its
// settings are a row of the kinds in package rollout.
package gates
