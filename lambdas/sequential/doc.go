// Package sequential holds the statistics of a rollout: tests over counts that
// may be looked at after every minute, for as long as one likes, without their
// error growing.
//
//   - [Harm]: does the new version err more than the baseline beside it?
//   - [NonInferiority]: by how much does it err more, at most?
//   - [HistoricalControl]: does it err more than the baseline ever did? For when there is no
//     baseline beside it any more.
//   - [Dispersion]: how much do errors cluster, and so how much less does each
//     of them tell?
//
// The first and the third give an e-process E: a running value that is at least
// 0 and has an expectation of at most 1, at every time however chosen, as long
// as nothing is wrong. So P(E ever reaches 1/α) ≤ α (Ville 1939). States hold
// natural logarithms, L = ln E.
//
// Tests are values made once from checked parameters; states are values that a
// test folds minutes into. Folding never changes a state, it returns the next
// one, and the state after minutes a and then b is that after a and b at once,
// bit for bit. A state marshals to compact JSON and goes on from there as if it
// had never been written down. A state belongs to the parameters that it was
// begun with. Everything is safe for concurrent use, and nothing allocates but
// making a test and reading or writing JSON.
//
// What is counted need not be errors: slow requests (above a threshold that was
// fixed before) are counted alike.
//
// Sources: Turner, Ly and Grünwald, "Generic e-variables for exact sequential
// k-sample tests" (safe 2×2 tables); Lindon and Malek, "Anytime-valid inference
// for multinomial count data"; Ville, "Étude critique de la notion de collectif"
// (1939); Herbster and Warmuth, "Tracking the best expert" (1998).
package sequential
