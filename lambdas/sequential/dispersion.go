package sequential

// Dispersion measures how much the split of errors between the versions scatters from
// minute to minute, in rollouts that were accepted. Its zero value is the start.
type Dispersion struct {
	// Squares is Σ (k_c − K·θ)²/(θ·(1−θ)), with K = k_b + k_c and
	// θ = n_c/(n_c + n_b); at least 0.
	Squares float64 `json:"squares"`
	// Errors is Σ K; at least 0.
	Errors int64 `json:"errors"`
}

// Fold returns the dispersion with more minutes. Only those with at least two
// errors, and requests of both versions, count: others can't show whether errors
// come together.
func (d Dispersion) Fold(minutes ...Minute) Dispersion {
	for _, m := range minutes {
		if !m.compares() || m.errors() < 2 {
			continue
		}
		all := float64(m.errors())
		baseline, newVersion := float64(m.baseline.Requests), float64(m.newVersion.Requests)
		theta := newVersion / (newVersion + baseline)
		rest := baseline / (newVersion + baseline)
		off := float64(m.newVersion.Errors) - all*theta
		d.Squares += off * off / (theta * rest)
		d.Errors += m.errors()
	}
	return d
}

// Phi returns φ = max(1, (Squares + 20)/(Errors + 20)), the overdispersion: about
// how many errors come together, 1 if each comes alone; the 20 pull it towards
// 1 while little is known. A test takes it as its Eta = 1/φ. It must come from
// earlier rollouts than the one that is judged by it. Tempering makes clusters
// of errors in one version's environment do less harm to the guarantee; it does
// not restore it.
func (d Dispersion) Phi() float64 {
	const doubt = 20
	return max(1, (d.Squares+doubt)/(float64(d.Errors)+doubt))
}
