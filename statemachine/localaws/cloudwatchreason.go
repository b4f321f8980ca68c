package localaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// mostListed is up to how many datapoints a reason lists beside their number. AWS lists five of them in a sentence of their own.
const mostListed = 4

// reason returns the StateReason of a transition to a state, as AWS writes it.
func (e evaluation) reason(to types.StateValue) string {
	if to == types.StateValueInsufficientData {
		return fmt.Sprintf("Insufficient Data: %s unknown.", counted(e.filled, "datapoint was", "datapoints were"))
	}
	var missing string
	if treat := *e.config.TreatMissingData; e.filled > 0 && (treat == "breaching" || treat == "notBreaching") {
		as := map[string]string{"breaching": "Breaching", "notBreaching": "NonBreaching"}[treat]
		missing = fmt.Sprintf("%s treated as [%s]", counted(e.filled, "missing datapoint was", "missing datapoints were"), as)
	}
	var shown []string // those that agree with the state
	for _, p := range e.used {
		if e.crosses(p) == (to == types.StateValueAlarm) {
			shown = append(shown, fmt.Sprintf("%s (%s)", formatDouble(p.value), time.Unix(p.at, 0).UTC().Format("02/01/06 15:04:05")))
		}
	}
	periods := int(*e.config.EvaluationPeriods)
	if len(shown) == 0 {
		received := "no datapoints were"
		if n := len(e.used); n > 0 {
			received = counted(n, "datapoint was", "datapoints were")
		}
		return fmt.Sprintf("Threshold Crossed: %s received for %s and %s.", received, counted(periods, "period", "periods"), missing)
	}
	text := "Threshold Crossed: " + counted(len(shown), "datapoint", "datapoints")
	if e.config.DatapointsToAlarm != nil {
		text = fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints", len(shown), periods)
	}
	values := "[" + strings.Join(shown, ", ") + "]"
	if len(shown) <= mostListed {
		text += " " + values
	}
	text += " " + plural(len(shown), "was", "were")
	if to == types.StateValueOk {
		text += " not"
	}
	text += fmt.Sprintf(" %s the threshold (%s)", comparisons[e.config.ComparisonOperator].words, formatDouble(*e.config.Threshold))
	if missing != "" {
		text += " and " + missing
	}
	if len(shown) > mostListed {
		text += ". The most recent datapoints which crossed the threshold: " + values
	}
	if e.config.DatapointsToAlarm != nil {
		least := e.needed()
		if to == types.StateValueOk {
			least = periods - e.needed() + 1
		}
		opposite := types.StateValueOk
		if to == types.StateValueOk {
			opposite = types.StateValueAlarm
		}
		text += fmt.Sprintf(" (minimum %s for %s -> %s transition)", counted(least, "datapoint", "datapoints"), opposite, to)
	}
	return text + "."
}

// counted returns a number with the word that fits it.
func counted(n int, one, many string) string { return strconv.Itoa(n) + " " + plural(n, one, many) }

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// alarmTime is the layout of times in alarms' messages and data.
const alarmTime = "2006-01-02T15:04:05.000-0700"

// double is a number that JSON writes as AWS does: with a point.
type double float64

// MarshalJSON implements [json.Marshaler].
func (d double) MarshalJSON() ([]byte, error) { return []byte(formatDouble(float64(d))), nil }

// data returns the StateReasonData of an evaluation at the instant now, as JSON.
func (e evaluation) data(now time.Time) string {
	type evaluated struct {
		Timestamp string `json:"timestamp"`
		Value     double `json:"value"`
	}
	out := struct {
		Version    string             `json:"version"`
		QueryDate  string             `json:"queryDate"`
		StartDate  string             `json:"startDate,omitempty"`
		Unit       types.StandardUnit `json:"unit,omitempty"`
		Statistic  string             `json:"statistic,omitempty"`
		Period     int64              `json:"period"`
		Recent     []double           `json:"recentDatapoints"`
		Threshold  double             `json:"threshold"`
		Datapoints []evaluated        `json:"evaluatedDatapoints,omitempty"`
	}{Version: "1.0", QueryDate: now.UTC().Format(alarmTime), Unit: e.config.Unit, Period: e.period, Recent: []double{}, Threshold: double(*e.config.Threshold)}
	out.Statistic = string(e.config.Statistic)
	if e.config.ExtendedStatistic != nil {
		out.Statistic = *e.config.ExtendedStatistic
	}
	if n := len(e.used); n > 0 {
		out.StartDate = time.Unix(e.used[n-1].at, 0).UTC().Format(alarmTime)
	}
	for _, p := range e.used {
		out.Recent = append(out.Recent, double(p.value))
		out.Datapoints = append(out.Datapoints, evaluated{time.Unix(p.at, 0).UTC().Format(alarmTime), double(p.value)})
	}
	slices.Reverse(out.Recent) // the oldest first
	body, err := json.Marshal(out)
	if err != nil {
		panic(err) // numbers are finite, and the rest are texts
	}
	return string(body)
}
