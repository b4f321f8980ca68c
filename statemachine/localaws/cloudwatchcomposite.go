package localaws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// alarmRule is the rule of a composite alarm: whether it holds, given the states of alarms by name.
type alarmRule func(stateOf func(alarm string) types.StateValue) bool

// ruleParser parses a rule by recursive descent.
type ruleParser struct {
	tokens []string
	prefix string   // of alarms' ARNs
	names  []string // the alarms in the rule
	depth  int
}

// ruleToken matches a parenthesis, a quoted name, or a word, which may be an unquoted name or an ARN.
var ruleToken = regexp.MustCompile(`\s*([()]|"[^"]*"|[^\s()"]+)`)

// maxRuleDepth is how deep the parentheses of a rule may be nested here.
const maxRuleDepth = 100

// parseRule parses a rule such as ALARM("a") AND NOT (OK(b) OR ALARM("c d")), and returns the names of its alarms too.
func parseRule(text, prefix string) (alarmRule, []string, error) {
	p := &ruleParser{prefix: prefix}
	end := 0
	for _, m := range ruleToken.FindAllStringSubmatchIndex(text, -1) {
		if m[0] != end {
			break
		}
		p.tokens, end = append(p.tokens, text[m[2]:m[3]]), m[1]
	}
	if strings.TrimSpace(text[end:]) != "" {
		return nil, nil, fmt.Errorf("a quotation mark is not closed")
	}
	rule, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("unexpected %q", p.tokens[0])
	}
	return rule, p.names, err
}

// take consumes the next token if it is the wanted word, in any case.
func (p *ruleParser) take(wanted string) bool {
	if len(p.tokens) == 0 || !strings.EqualFold(p.tokens[0], wanted) {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// either parses operands joined by OR.
func (p *ruleParser) either() (alarmRule, error) {
	left, err := p.both()
	for err == nil && p.take("OR") {
		a := left
		var b alarmRule
		if b, err = p.both(); err == nil {
			left = func(of func(string) types.StateValue) bool { return a(of) || b(of) }
		}
	}
	return left, err
}

// both parses operands joined by AND.
func (p *ruleParser) both() (alarmRule, error) {
	left, err := p.operand()
	for err == nil && p.take("AND") {
		a := left
		var b alarmRule
		if b, err = p.operand(); err == nil {
			left = func(of func(string) types.StateValue) bool { return a(of) && b(of) }
		}
	}
	return left, err
}

// operand parses a state of an alarm, a constant, or a rule in parentheses, each with or without NOT.
func (p *ruleParser) operand() (alarmRule, error) {
	if p.depth++; p.depth > maxRuleDepth {
		return nil, fmt.Errorf("it is nested too deeply for the local AWS")
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("NOT"):
		inner, err := p.operand()
		return func(of func(string) types.StateValue) bool { return !inner(of) }, err
	case p.take("("):
		inner, err := p.either()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return inner, err
	case p.take("TRUE"):
		return func(func(string) types.StateValue) bool { return true }, nil
	case p.take("FALSE"):
		return func(func(string) types.StateValue) bool { return false }, nil
	}
	for _, state := range types.StateValue("").Values() {
		if p.take(string(state)) {
			return p.stateOf(state)
		}
	}
	if len(p.tokens) == 0 {
		return nil, fmt.Errorf("it ends where a state is expected")
	}
	return nil, fmt.Errorf("unexpected %q", p.tokens[0])
}

// stateOf parses the alarm that is in a state: a name or an ARN in parentheses, with or without quotation marks.
func (p *ruleParser) stateOf(state types.StateValue) (alarmRule, error) {
	if !p.take("(") || len(p.tokens) == 0 {
		return nil, fmt.Errorf("%s takes the name of an alarm in parentheses", state)
	}
	name := strings.TrimPrefix(strings.Trim(p.tokens[0], `"`), p.prefix)
	p.tokens = p.tokens[1:]
	if !p.take(")") || name == "" || name == "(" || name == ")" {
		return nil, fmt.Errorf("%s takes the name of an alarm in parentheses", state)
	}
	if !slices.Contains(p.names, name) {
		p.names = append(p.names, name)
	}
	return func(of func(string) types.StateValue) bool { return of(name) == state }, nil
}

// putCompositeAlarm creates a composite alarm, or replaces the configuration of one.
func (c *cloudWatchService) putCompositeAlarm(in *cloudwatch.PutCompositeAlarmInput) (smithy.Serializable, *apiError) {
	switch {
	case aws.ToString(in.AlarmName) == "":
		return nil, badRequest("MissingParameter", "The parameter AlarmName is required.")
	case checkAlarmName(*in.AlarmName) != nil:
		return nil, badRequest("ValidationError", "The parameter AlarmName must not be longer than 255.")
	case aws.ToString(in.AlarmRule) == "":
		return nil, badRequest("MissingParameter", "The parameter AlarmRule is required.")
	case len(*in.AlarmRule) > 10240:
		return nil, badRequest("ValidationError", "The parameter AlarmRule must not be longer than 10240.")
	case in.ActionsSuppressor != nil || in.ActionsSuppressorWaitPeriod != nil || in.ActionsSuppressorExtensionPeriod != nil || in.ActionConfiguration != nil:
		return nil, badRequest("ValidationError", "The local AWS does not support ActionsSuppressor and ActionConfiguration.")
	}
	if err := checkActions(in.OKActions, in.AlarmActions, in.InsufficientDataActions); err != nil {
		return nil, err
	}
	rule, names, err := parseRule(*in.AlarmRule, c.alarmARN(""))
	if err != nil {
		return nil, badRequest("ValidationError", "AlarmRule must be a valid rule expression: %s", err)
	}
	c.mu.Lock()
	for _, name := range names {
		if _, ok := c.searchAlarm(name); !ok || name == *in.AlarmName {
			c.mu.Unlock()
			return nil, badRequest("ValidationError", "Could not save the composite alarm as alarms [%s] in the alarm rule do not exist", name)
		}
	}
	c.mu.Unlock()
	config := *in
	return nil, c.putAlarm(*in.AlarmName, types.AlarmTypeCompositeAlarm, func(a *alarm) {
		a.composite, a.rule, a.silent = &config, rule, config.ActionsEnabled != nil && !*config.ActionsEnabled
	})
}

// evaluateComposites evaluates the composite alarms until none changes, at most once for each of them, because they may refer to
// each other. It returns the actions to perform. c.mu is held.
func (c *cloudWatchService) evaluateComposites(now time.Time) []alarmAction {
	stateOf := func(name string) types.StateValue {
		if i, ok := c.searchAlarm(name); ok {
			return c.alarms[i].state
		}
		return types.StateValueInsufficientData
	}
	var due []alarmAction
	for range c.alarms {
		changed := false
		for _, a := range c.alarms {
			if a.composite == nil {
				continue
			}
			state := types.StateValueOk
			if a.rule(stateOf) {
				state = types.StateValueAlarm
			}
			if state != a.state {
				changed = true
				due = append(due, c.transition(a, state, c.compositeReason(a, state), nil, now)...)
			}
		}
		if !changed {
			break
		}
	}
	return due
}

// compositeReason returns the StateReason of a composite alarm: the alarm of its rule that changed last, or its creation.
func (c *cloudWatchService) compositeReason(a *alarm, to types.StateValue) string {
	const layout = "Monday 02 January, 2006 15:04:05 UTC"
	_, names, _ := parseRule(*a.composite.AlarmRule, c.alarmARN("")) // it has been parsed before
	var cause *alarm
	for _, name := range names {
		if i, ok := c.searchAlarm(name); ok && (cause == nil || c.alarms[i].changed.After(cause.changed)) {
			cause = c.alarms[i]
		}
	}
	if cause == nil || a.changed.Equal(a.configured) && a.state == types.StateValueInsufficientData {
		return fmt.Sprintf("%s was created and its alarm rule evaluates to %s", c.alarmARN(a.name), to)
	}
	return fmt.Sprintf("%s transitioned to %s at %s", c.alarmARN(cause.name), cause.state, cause.changed.UTC().Format(layout))
}
