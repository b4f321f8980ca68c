package rehearsal

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/statemachine/rehearsal/strictjson"
)

var (
	aliasVersion = regexp.MustCompile(`^([1-9][0-9]{0,17}|\$LATEST)$`)
	functionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	httpsURL     = regexp.MustCompile(`^[Hh][Tt][Tt][Pp][Ss]://.`)
	secretForm   = regexp.MustCompile(`^(secretsmanager:[A-Za-z0-9/_+=.@-]{1,512}|ssm:[A-Za-z0-9_./-]{1,1000})$`)
)

// What fields must be. Each continues a sentence that begins with the field's path.
const (
	wantVersion      = `must be a published version's number, such as "7"`
	wantNoVersion    = "must be left out: the input has it"
	wantSameVersion  = "must be left out: a change can't change a version's number; change the alias instead"
	wantNoHistory    = "must be 0 or left out with baseline.inactive: an Inactive version has had no traffic for weeks"
	wantNotInactive  = "must be false or left out: a version becomes Inactive after weeks without a request, not during a rollout"
	wantAliasVersion = `must be a version's number, such as "7"`
	wantDescription  = "must have at most 256 characters"
	wantFunction     = "must be a function's name: at most 64 letters, digits, - and _"
	wantURL          = "must be an HTTPS URL, such as https://api.example.com/health"
	wantStatus       = "must be an HTTP status from 200 to 599, or 0 for 200"
	wantAlarm        = "must be an alarm's name: 1 to 255 bytes"
	wantSecret       = "must be a reference to a secret: secretsmanager:<name> or ssm:<parameter>"
	wantStart        = `must be a time in RFC 3339 with its offset from UTC, from the year 2000 to 2099, such as "2026-12-18T09:00:00+01:00"`
	wantText         = "must not be empty"
	wantTime         = "must have either after or after-share, above 0"
	wantChange       = "must change something"
	wantOrder        = "applies only with order or order-text"
	wantOneOrder     = "must be left out: the change has an order"
	wantMistyped     = "; to rehearse a mistyped order, write it as order-text"
	wantOrderText    = "must have at most 1000 characters"
)

// The bounds of a scenario's start.
var earliest, latest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// number returns a number without an exponent.
func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value) // an infinite number, from a program
	}
	return string(text)
}

// wantOneOf returns what a word must be that is one of a few, with the nearest.
func wantOneOf[T ~string](given T, known []T) string {
	names := make([]string, len(known))
	for i, name := range known {
		names[i] = string(name)
	}
	return "must be one of " + strings.Join(names, ", ") + rollout.DidYouMean(string(given), names)
}

// check returns an error that joins a rollout.Problem for everything that is wrong.
func (s Scenario) check() error {
	var problems []error
	within := func(path string, value, low, high float64) {
		if !(value >= low && value <= high) {
			problems = append(problems, problemAt(path, "must be a number from "+number(low)+" to "+number(high), value))
		}
	}
	refuse := func(path, want string, given any) { problems = append(problems, problemAt(path, want, given)) }
	if at := (time.Time{}); s.Start != "" && (at.UnmarshalText([]byte(s.Start)) != nil || at.Before(earliest) || !at.Before(latest)) {
		refuse("start", wantStart, s.Start)
	}
	within("requests-per-second", s.RequestsPerSecond, 0, maxRate)
	within("metric-delay", s.MetricDelay, 0, MaxSeconds)
	if s.History != nil {
		within("history", *s.History, 0, maxHistory)
	}
	s.AliasLag.check("", within)
	within("latency", s.Latency, 0, 900)
	if s.Day != nil {
		within("day.amplitude", s.Day.Amplitude, 0, 1)
		within("day.peak-hour", s.Day.PeakHour, 0, 24)
	}
	if s.Timeout != 0 {
		within("timeout", float64(s.Timeout), 1, 900)
	}
	problems = append(problems, s.Dependencies.check("", within), s.Provisioned.check(within))
	if v := s.Baseline.Version; v != "" && !versionForm.MatchString(v) {
		refuse("baseline.version", wantVersion, v)
	}
	if s.Baseline.Inactive && s.History != nil && *s.History > 0 {
		refuse("history", wantNoHistory, *s.History)
	}
	if s.NewVersion.Version != "" {
		refuse("new-version.version", wantNoVersion, s.NewVersion.Version)
	}
	s.Baseline.check("baseline", within)
	s.NewVersion.check("new-version", within)
	for _, name := range slices.Sorted(maps.Keys(s.Metrics)) {
		problems = append(problems, s.Metrics[name].check(strictjson.Path("metrics", name), within))
	}
	for _, reference := range slices.Sorted(maps.Keys(s.Secrets)) {
		at := strictjson.Path("secrets", reference)
		if !secretForm.MatchString(reference) {
			refuse(at, wantSecret, nil)
		}
		if s.Secrets[reference] == "" {
			refuse(at, wantText, nil)
		}
	}
	for i, name := range s.Untagged {
		if name == "" {
			refuse(fmt.Sprintf("untagged[%d]", i), wantText, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Members)) {
		problems = append(problems, s.Members[name].check(strictjson.Path("members", name), s, within))
	}
	for i, change := range s.Changes {
		problems = append(problems, change.check(fmt.Sprintf("changes[%d]", i), s, within))
	}
	for i, fault := range s.Faults {
		problems = append(problems, fault.check(fmt.Sprintf("faults[%d]", i), within))
	}
	return errors.Join(problems...)
}

// wantKnownMetric says which metrics a change may have.
func wantKnownMetric(s Scenario) string {
	if len(s.Metrics) == 0 {
		return "must be one of the scenario's metrics: it has none"
	}
	return "must be one of the scenario's metrics: " + strings.Join(slices.Sorted(maps.Keys(s.Metrics)), ", ")
}

// check passes a change's numbers and their bounds to within, and returns an error that
// joins what else is wrong with it.
func (c Change) check(at string, s Scenario, within func(path string, value, low, high float64)) error {
	var problems []error
	refuse := func(path, want string, given any) { problems = append(problems, problemAt(path, want, given)) }
	within(at+".after", c.After, 0, MaxSeconds)
	within(at+".after-share", c.AfterShare, 0, 1)
	if (c.After > 0) == (c.AfterShare > 0) {
		refuse(at, wantTime, nil)
	}
	if c.RequestsPerSecond != nil {
		within(at+".requests-per-second", *c.RequestsPerSecond, 0, maxRate)
	}
	if c.MetricDelay != nil {
		within(at+".metric-delay", *c.MetricDelay, 0, MaxSeconds)
	}
	c.AliasLag.check(at+".", within)
	for name, p := range map[string]*VersionProfile{"baseline": c.Baseline, "new-version": c.NewVersion} {
		if p == nil {
			continue
		}
		p.check(at+"."+name, within)
		if p.Version != "" {
			refuse(at+"."+name+".version", wantSameVersion, p.Version)
		}
		if p.Inactive {
			refuse(at+"."+name+".inactive", wantNotInactive, true)
		}
	}
	problems = append(problems, c.Dependencies.check(at+".", within), c.checkUser(at, within))
	for _, name := range slices.Sorted(maps.Keys(c.Metrics)) {
		path := strictjson.Path(at+".metrics", name)
		problems = append(problems, c.Metrics[name].check(path, within))
		if _, ok := s.Metrics[name]; !ok {
			refuse(path, wantKnownMetric(s), nil)
		}
	}
	if c.nothing() {
		refuse(at, wantChange, nil)
	}
	return errors.Join(problems...)
}

// checkUser is check for what a user does in a change.
func (c Change) checkUser(at string, within func(path string, value, low, high float64)) error {
	var problems []error
	refuse := func(path, want string, given any) { problems = append(problems, problemAt(path, want, given)) }
	if _, known := rollout.ReadCommand(string(c.Order)); c.Order != "" && !known {
		refuse(at+".order", rollout.WantCommand(string(c.Order))+wantMistyped, c.Order)
	}
	if c.OrderText != "" && c.Order != "" {
		refuse(at+".order-text", wantOneOrder, c.OrderText)
	}
	if utf8.RuneCountInString(c.OrderText) > 1000 {
		refuse(at+".order-text", wantOrderText, c.OrderText)
	}
	if c.By != "" && c.Order == "" && c.OrderText == "" {
		refuse(at+".by", wantOrder, c.By)
	}
	if a := c.Alias; a != nil {
		if a.Version != "" && !aliasVersion.MatchString(a.Version) {
			refuse(at+".alias.version", wantAliasVersion, a.Version)
		}
		if a.Weight != nil {
			within(at+".alias.weight", *a.Weight, 0, 1)
		}
		if a.Description != nil && utf8.RuneCountInString(*a.Description) > 256 {
			refuse(at+".alias.description", wantDescription, *a.Description)
		}
	}
	return errors.Join(problems...)
}
