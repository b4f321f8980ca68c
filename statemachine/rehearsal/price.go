package rehearsal

import (
	"fmt"
	"math"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// AWS's list prices in US East (N. Virginia), in dollars, from the services' pricing
// pages (aws.amazon.com/<service>/pricing) as of November 2026, without free tiers.
// Other Regions differ, most of all in the price of logs.
const (
	perInvocation  = 0.20 / 1e6
	perGBSecond    = 0.0000133334 // of an arm64 function, first tier
	perMetricRead  = 0.01 / 1000  // GetMetricData: each query of a metric, though several statistics of one may count once
	perAlarmRead   = 0.01 / 1000  // other CloudWatch requests; AWS does not document whether DescribeAlarms is one
	perPublish     = 0.50 / 1e6   // SNS, without deliveries
	perBusEvent    = 1.00 / 1e6   // EventBridge, custom events
	perSecretRead  = 0.05 / 10e3  // Secrets Manager
	perLoggedByte  = 0.50 / 1e9   // CloudWatch Logs, standard class
	perTrace       = 5.00 / 1e6   // X-Ray, recorded
	perMetricHour  = 0.30 / 720   // CloudWatch, custom metrics, by the hour
	perAlarmMonth  = 0.10         // CloudWatch, an alarm on one metric at standard resolution
	perDashboard   = 3.00         // CloudWatch, a month
	daysOfMonth    = 30
	sweepsOfMonth  = daysOfMonth * 24 * 12
	functionMemory = 128.0 / 1024 // GB
)

// What the stack has that is billed by the month: the metrics of its alarms, of
// which an alarm may have several, and its dashboards.
const (
	alarms            = 17
	dashboardsOfStack = 1
)

// Billed is the mean time for which Lambda bills an invocation, in seconds: one of
// HealthCheck, and one of any other function, besides the pauses of those of releases.
type Billed struct {
	HealthCheck float64
	Others      float64
}

// UsuallyBilled returns the times that costs assume if no others are given.
func UsuallyBilled() Billed { return Billed{HealthCheck: 0.5, Others: 0.2} }

// HealthChecks returns the number of invocations of HealthCheck.
func (u Usage) HealthChecks() int64 { return u[healthChecks] }

// Dollars returns what the usage costs at the list prices.
func (u Usage) Dollars(billed Billed) float64 {
	total := 0.0
	for _, c := range charges() {
		total += c.quantity(u, billed) * c.dollars
	}
	return total
}

// Amount formats an amount of dollars: to a hundredth of a cent if it is less than a dollar.
func Amount(amount float64) string { return dollars(amount) }

// MonthOfIdleness returns what a stack uses in a month without rollouts, in which
// two sweeps every five minutes, of rollouts and of releases, find nothing to do.
func MonthOfIdleness() Usage {
	var m meter
	for range sweepsOfMonth {
		m.invoked(functionARN("Rollback"), []byte(`{"sweep": ""}`))
		m.invoked(functionARN("CheckRelease"), []byte(`{"sweep": ""}`))
	}
	m.used[alarmMonths], m.used[dashboards] = alarms, dashboardsOfStack
	return m.used
}

// charge is a row of the table of costs: a quantity, and what that costs.
type charge struct {
	name     string
	price    string // the list price, for people
	quantity func(Usage, Billed) float64
	dollars  float64 // for one unit of the quantity
	write    func(float64) string
}

// charges returns the rows of the table of costs.
func charges() []charge {
	of := func(item int) func(Usage, Billed) float64 {
		return func(u Usage, _ Billed) float64 { return float64(u[item]) }
	}
	invocations := func(u Usage, _ Billed) float64 { return float64(u[healthChecks] + u[otherTasks]) }
	duration := func(u Usage, b Billed) float64 {
		return functionMemory * (float64(u[healthChecks])*b.HealthCheck + float64(u[otherTasks])*b.Others + float64(u[pauses])/1000)
	}
	count := func(n float64) string { return rollout.Thousands(int64(n)) }
	return []charge{
		{"Step Functions: state transitions", "$0.025 for 1,000", of(transitions), dollarsPerTransition, count},
		{"Lambda: requests", "$0.20 for 1,000,000", invocations, perInvocation, count},
		{"Lambda: GB-seconds", "$0.0000133334", duration, perGBSecond, gbSeconds},
		{"CloudWatch: metrics read by GetMetricData", "$0.01 for 1,000", of(metricReads), perMetricRead, count},
		{"CloudWatch: DescribeAlarms", "$0.01 for 1,000", of(alarmReads), perAlarmRead, count},
		{"CloudWatch: custom metrics, by the hour", "$0.30 a month", of(metricHours), perMetricHour, count},
		{"CloudWatch: alarms", "$0.10 a month", of(alarmMonths), perAlarmMonth, count},
		{"CloudWatch: dashboards", "$3.00 a month", of(dashboards), perDashboard, count},
		{"Logs of executions, ingested", "$0.50 a GB", of(executionLog), perLoggedByte, bytesRead},
		{"Logs of functions, ingested", "$0.50 a GB", of(functionLog), perLoggedByte, bytesRead},
		{"X-Ray: traces recorded", "$5.00 for 1,000,000", of(traces), perTrace, count},
		{"SNS: publishes", "$0.50 for 1,000,000", of(publishes), perPublish, count},
		{"EventBridge: custom events", "$1.00 for 1,000,000", of(busEvents), perBusEvent, count},
		{"Secrets Manager: reads", "$0.05 for 10,000", of(secretReads), perSecretRead, count},
	}
}

// gbSeconds formats a number of GB-seconds.
func gbSeconds(n float64) string {
	if n < 1000 {
		return fmt.Sprintf("%.1f", n)
	}
	return rollout.Thousands(int64(math.Round(n)))
}

// bytesRead formats a number of bytes.
func bytesRead(n float64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.0f kB", n/1e3)
	}
	if n < 100e6 {
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
	return rollout.Thousands(int64(math.Round(n/1e6))) + " MB"
}

// dollars formats an amount: to a hundredth of a cent if it is less than a dollar.
func dollars(amount float64) string {
	switch {
	case amount < 0.0001:
		return "< $0.0001"
	case amount < 1:
		return fmt.Sprintf("$%.4f", amount)
	}
	return fmt.Sprintf("$%.2f", amount)
}

// Bill is a column of the table of costs: what something uses.
type Bill struct {
	Name  string
	Usage Usage
}

// Charge is what a bill has of one thing that AWS charges for.
type Charge struct {
	Name  string // such as "Lambda: requests"
	Price string // the list price, for people
	// Quantity is in the unit of the name: of logs in bytes.
	Quantity float64
	Dollars  float64
	text     string
}

// Charges returns the charges of a bill: always the same ones in the same order, also if
// their quantity is 0.
func (b Bill) Charges(billed Billed) []Charge {
	var all []Charge
	for _, c := range charges() {
		quantity := c.quantity(b.Usage, billed)
		all = append(all, Charge{c.name, c.price, quantity, quantity * c.dollars, c.write(quantity)})
	}
	return all
}

// String returns the quantity and the amount: "75: $0.0019".
func (c Charge) String() string { return c.text + ": " + dollars(c.Dollars) }
