package localaws

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// AddFunction adds a function whose published versions have the given numbers, in ascending order, without a call. The next
// version to be published follows the last of them. It returns an error if the name or the numbers are invalid or the
// function exists.
func (s *Server) AddFunction(name string, versions ...int) error {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	if ref, err := l.unqualified(name); err != nil || ref.name != name {
		return fmt.Errorf("add function: %q is not a function's plain name", name)
	}
	if l.functions[name] != nil {
		return fmt.Errorf("add function: %q already exists", name)
	}
	for i, number := range versions {
		if number < 1 || i > 0 && number <= versions[i-1] {
			return fmt.Errorf("add function: version numbers start at 1 and increase: %v", versions)
		}
	}
	f := l.add(types.FunctionConfiguration{
		FunctionName: &name,
		Role:         aws.String("arn:aws:iam::" + s.options.Account + ":role/" + name),
		Runtime:      types.RuntimeProvidedal2023,
		Handler:      aws.String("bootstrap"),
	}, code{sha256: digestOf(nil)})
	for _, number := range versions {
		stand := []byte(strconv.Itoa(number)) // for code that nobody can read
		f.latest.load(code{size: int64(len(stand)), sha256: digestOf(stand)})
		f.changed, f.last = true, number-1
		l.publish(f, nil)
	}
	return nil
}

// AddAlias adds an alias that points at one version, without a call. It replaces an alias of that name. It returns an error
// if the version does not exist or the name is invalid.
func (s *Server) AddAlias(functionName, aliasName, version, description string) error {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.versionOf(functionName, version); err != nil {
		return fmt.Errorf("add alias: %w", err)
	}
	if !isAliasName(aliasName) {
		return fmt.Errorf("add alias: %q is not a valid name", aliasName)
	}
	l.functions[functionName].aliases[aliasName] = Alias{
		Function: functionName, Name: aliasName, Version: version, Description: description, RevisionID: l.nextRevision(),
	}
	return nil
}

// AddAlarm adds a metric or composite alarm in the state INSUFFICIENT_DATA, without a call. Nothing ever evaluates it. It
// returns an error if the name is invalid or taken.
func (s *Server) AddAlarm(name string, composite bool) error {
	if composite {
		return s.addAlarm(name, cwtypes.AlarmTypeCompositeAlarm)
	}
	return s.addAlarm(name, cwtypes.AlarmTypeMetricAlarm)
}

// AddLogAlarm is AddAlarm for a log alarm.
func (s *Server) AddLogAlarm(name string) error { return s.addAlarm(name, cwtypes.AlarmTypeLogAlarm) }

func (s *Server) addAlarm(name string, kind cwtypes.AlarmType) error {
	c := s.cloudwatch
	c.mu.Lock()
	defer c.mu.Unlock()
	i, exists := c.searchAlarm(name)
	if err := checkAlarmName(name); err != nil {
		return fmt.Errorf("add alarm: %w", err)
	}
	if exists {
		return fmt.Errorf("add alarm: %q already exists", name)
	}
	a := &alarm{name: name, kind: kind, configured: c.metrics.now()}
	a.set(cwtypes.StateValueInsufficientData, "Unchecked: Initial alarm creation", nil, a.configured)
	c.alarms = slices.Insert(c.alarms, i, a)
	return nil
}

// SetAlarmEvaluation sets whether CloudWatch can evaluate a metric or log alarm: completely if state is empty. Its other
// state stays. It returns an error for an unknown alarm or state, and for a composite alarm.
func (s *Server) SetAlarmEvaluation(name string, state cwtypes.EvaluationState) error {
	c := s.cloudwatch
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != "" && !slices.Contains(state.Values(), state) {
		return fmt.Errorf("set alarm evaluation: unknown state %q; known are %s", state, state.Values())
	}
	i, ok := c.searchAlarm(name)
	if !ok || c.alarms[i].kind == cwtypes.AlarmTypeCompositeAlarm {
		return fmt.Errorf("set alarm evaluation: there is no metric or log alarm %q", name)
	}
	c.alarms[i].evaluation, c.alarms[i].updated = state, c.metrics.now()
	return nil
}

// SetAlarmState sets an alarm's state without a call, and therefore without faults and hooks. It returns an error for an
// unknown alarm or state.
func (s *Server) SetAlarmState(name string, state cwtypes.StateValue, reason string) error {
	return s.SetAlarmStateAt(s.cloudwatch.metrics.now(), name, state, reason)
}

// SetAlarmStateAt is SetAlarmState for an alarm that has been in the state since an instant, which must not be before it
// was set last.
func (s *Server) SetAlarmStateAt(at time.Time, name string, state cwtypes.StateValue, reason string) error {
	if !slices.Contains(state.Values(), state) {
		return fmt.Errorf("set alarm state: unknown state %q; known are %s", state, state.Values())
	}
	if !s.cloudwatch.setState(name, state, reason, nil, at) {
		return fmt.Errorf("set alarm state: there is no alarm %q", name)
	}
	return nil
}
