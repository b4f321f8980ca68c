package release

// Limits of what the data keeps.
const (
	maxReasons  = 40
	maxReason   = 400
	keptOrders  = 5
	maxProblems = 50
	maxProblem  = 600
	// maxProblemsText leaves room for what a function\'s error has around its message.
	maxProblemsText = 12 << 10
	// maxLeftReasons limits, in bytes of the data, the whole reasons of the aliases that are
	// left, maxLeft these and the brief ones, and maxLeftText those in the outcome.
	maxLeftReasons = 4 << 10
	maxLeft        = 24 << 10
	maxLeftText    = 26 << 10
	maxText        = 4000 // of an outcome's reason without those

	maxRelayed    = 20
	maxRelayWords = 120 // of the reason of a relayed roll-back
)
