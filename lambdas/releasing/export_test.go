package releasing

// Each exports each to tests.
var Each = Pace.each
