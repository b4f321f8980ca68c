// Package sequential has the statistics of a rollout: tests over counts of requests
// that may be looked at after every minute, as often and as long as one likes,
// without raising the chance that they are ever wrong.
//
//   - [Harm] tests whether the new version's error rate is higher than the baseline's
//     beside it.
//   - [NonInferiority] bounds how much higher it is at most.
//   - [HistoricalControl] tests whether it is higher than the baseline's by its
//     record, when no baseline is beside it any more.
//   - [Dispersion] measures how much errors cluster, and so how much less each of
//     them says.
//
// Harm and HistoricalControl give an e-process E: a running value that is at least
// 0 and has an expectation of at most 1, at every time however chosen, as long as
// the new version does no harm. So P(E ever reaches 1/α) ≤ α (Ville 1939). States
// hold natural logarithms, L = ln E.
//
// A test is a value, made once from checked parameters ([NewHarm] and so on). A
// state ([State], [NonInferiorityState], [Dispersion]) is a value, into which a test
// folds a [Minute] of counts: Fold returns the next state and changes none. Folding
// minutes a and then b gives the same state, bit for bit, as folding both at once. A
// state marshals to compact JSON and back without loss. It may be used only with the
// parameters that it was begun with. Everything is safe for concurrent use. Only
// making a test, and reading or writing JSON, allocate memory.
//
// Counts need not be of errors: slow requests, above a threshold that was fixed
// before, are counted alike.
//
// Sources: Turner, Ly and Grünwald, "Generic e-variables for exact sequential
// k-sample tests" (safe 2×2 tables); Lindon and Malek, "Anytime-valid inference
// for multinomial count data"; Ville, "Étude critique de la notion de collectif"
// (1939); Herbster and Warmuth, "Tracking the best expert" (1998).
package sequential
