package localaws

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Limit is a limit of AWS's on the rate of calls in an account and Region: a bucket of tokens, of which each call takes one. A
// call that finds the bucket empty is throttled, and takes none.
type Limit struct {
	// Name is of the limit, for people.
	Name string
	// Service is the service whose calls share the bucket, by its prefix in IAM, such as "lambda".
	Service string
	// Operations are the operations that share the bucket. If there are none, it is shared by all operations of the service
	// that have no limit of their own.
	Operations []string
	// Bucket is how many tokens there are at most, at least 1, and Refill how many are added each second, above 0.
	Bucket, Refill float64
	// Watched means that calls are counted, but never throttled.
	Watched bool
}

// AWSLimits returns the limits that AWS has by default in most Regions. us-east-1, us-west-2 and eu-west-1 have higher ones of
// Step Functions.
//
//   - Documented with bucket and refill (Step Functions' service quotas): the operations of Step Functions.
//   - Documented as a rate (the quotas of Lambda and of CloudWatch): Lambda's control plane, DescribeAlarms, GetMetricData.
//     Assumed is that their buckets hold one second's calls.
//   - Documented as a rate that reads share, and not which: Parameter Store's 40 a second. Assumed is that
//     GetParameterHistory, for which AWS documents no limit, shares it with the other reads.
//   - Not documented: PutParameter's 3 a second, which AWS Support has named to users (terraform-aws-github-runner, issue
//     2944). Assumed is that deletions share it.
//   - Of SNS, calls of Publish are only counted: AWS allows thousands a second, but switches a subscription by e-mail off
//     that gets more than 10 messages a second.
//
// Invoke's limits depend on the function and are left out. Calls that Step Functions makes by itself, for its nested
// executions and for its tasks, are not limited either.
func AWSLimits() []Limit {
	return []Limit{
		{Name: "Lambda control plane", Service: "lambda", Bucket: 15, Refill: 15},
		{Name: "Lambda GetFunction", Service: "lambda", Operations: []string{"GetFunction"}, Bucket: 100, Refill: 100},
		{Name: "StartExecution", Service: "states", Operations: []string{"StartExecution", "RedriveExecution"}, Bucket: 800, Refill: 150},
		{Name: "StopExecution", Service: "states", Operations: []string{"StopExecution"}, Bucket: 500, Refill: 25},
		{Name: "DescribeExecution", Service: "states", Operations: []string{"DescribeExecution"}, Bucket: 250, Refill: 10},
		{Name: "GetExecutionHistory", Service: "states", Operations: []string{"GetExecutionHistory"}, Bucket: 400, Refill: 20},
		{Name: "ListExecutions", Service: "states", Operations: []string{"ListExecutions"}, Bucket: 100, Refill: 2},
		{Name: "DescribeAlarms", Service: "cloudwatch", Operations: []string{"DescribeAlarms"}, Bucket: 9, Refill: 9},
		{Name: "GetMetricData", Service: "cloudwatch", Operations: []string{"GetMetricData"}, Bucket: 50, Refill: 50},
		{Name: "Parameter Store reads", Service: "ssm", Operations: []string{"GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"}, Bucket: 40, Refill: 40},
		{Name: "Parameter Store writes", Service: "ssm", Operations: []string{"PutParameter", "DeleteParameter", "DeleteParameters"}, Bucket: 3, Refill: 3},
		{Name: "SNS Publish", Service: "sns", Operations: []string{"Publish"}, Bucket: 10, Refill: 10, Watched: true},
	}
}

// LimitUse is how a limit was used.
type LimitUse struct {
	Limit
	// Calls is how many calls reached the limit, Throttled how many of them were throttled or, if the limit is only watched,
	// would have been.
	Calls, Throttled int
	// Most is the largest number of calls that came within any one second, with those that were throttled.
	Most int
}

// limits are the limits in force, with their buckets.
type limits struct {
	mu    sync.Mutex // guards what follows
	all   []*bucket
	of    map[limitedCall]*bucket // nil for an operation without a limit
	calls map[string]int          // by operation
}

// limitedCall identifies the operation of a call.
type limitedCall struct{ service, operation string }

// bucket is the state of a limit.
type bucket struct {
	use    LimitUse
	tokens float64
	filled time.Time   // when tokens were added last
	recent []time.Time // of the calls within the last second, the oldest first
}

// newLimits returns full buckets; nil without limits. Time begins at now.
func newLimits(given []Limit, now time.Time) *limits {
	if len(given) == 0 {
		return nil
	}
	l := &limits{of: map[limitedCall]*bucket{}, calls: map[string]int{}}
	for _, limit := range given {
		b := &bucket{use: LimitUse{Limit: limit}, tokens: limit.Bucket, filled: now}
		l.all = append(l.all, b)
		for _, operation := range limit.Operations {
			l.of[limitedCall{limit.Service, operation}] = b
		}
		if len(limit.Operations) == 0 {
			l.of[limitedCall{service: limit.Service}] = b
		}
	}
	if rest := l.of[limitedCall{service: "lambda"}]; rest != nil {
		l.of[limitedCall{"lambda", "Invoke"}] = nil // it is not of the control plane
	}
	return l
}

// take counts a call of a service that arrives at a time, no earlier than those before, and reports whether it is throttled.
// Nil limits none.
func (l *limits) take(service, operation string, now time.Time) (throttled bool) {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[operation]++
	b, known := l.of[limitedCall{service, operation}]
	if !known {
		b = l.of[limitedCall{service: service}]
	}
	return b != nil && b.take(now) && !b.use.Watched
}

// take counts a call and reports whether it finds no token.
func (b *bucket) take(now time.Time) (empty bool) {
	b.use.Calls++
	old := 0
	for old < len(b.recent) && now.Sub(b.recent[old]) >= time.Second {
		old++
	}
	b.recent = append(slices.Delete(b.recent, 0, old), now)
	b.use.Most = max(b.use.Most, len(b.recent))
	b.tokens = min(b.use.Bucket, b.tokens+b.use.Refill*now.Sub(b.filled).Seconds())
	b.filled = now
	const whole = 1 - 1e-9 // sums of fractions can be a little less
	if b.tokens < whole {
		b.use.Throttled++
		return true
	}
	b.tokens--
	return false
}

// LimitUses returns how the limits of [Options] were used, in their order; nil if there are none.
func (s *Server) LimitUses() (uses []LimitUse) {
	if s.limits == nil {
		return nil
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	for _, b := range s.limits.all {
		uses = append(uses, b.use)
	}
	return uses
}

// LimitedCalls returns how many calls of each operation were counted, with those that have no limit; nil if [Options] has no
// limits.
func (s *Server) LimitedCalls() map[string]int {
	if s.limits == nil {
		return nil
	}
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	return maps.Clone(s.limits.calls)
}

// prefixOf returns the prefix of a service's actions in IAM, by which limits name it.
func prefixOf(svc service) string {
	switch svc.(type) {
	case *lambdaService:
		return "lambda"
	case *stepFunctionsService:
		return "states"
	case *ssmService:
		return "ssm"
	case *snsService:
		return "sns"
	case cloudWatchFace, stampedFace:
		return "cloudwatch"
	case *eventBridgeService:
		return "events"
	case *secretsManagerService:
		return "secretsmanager"
	}
	return ""
}
