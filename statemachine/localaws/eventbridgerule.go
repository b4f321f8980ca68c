package localaws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rule is a rule of the default event bus, as ListRules shows it.
type Rule struct {
	Name         string
	EventPattern string // JSON; empty for a rule with a schedule
	Schedule     string // such as "rate(1 minute)"; empty for a rule with a pattern
	Description  string
	Disabled     bool
}

var ruleName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)

// AddRule adds a rule to the default event bus, without a call. Clients can list it, enable it and disable it; the server runs no
// rules: who runs them asks [Server.RuleEnabled]. It returns an error if the name is invalid or taken, or if the rule has neither a pattern nor a schedule.
func (s *Server) AddRule(r Rule) error {
	b := s.events
	b.mu.Lock()
	defer b.mu.Unlock()
	i, exists := b.findRule(r.Name)
	switch {
	case !ruleName.MatchString(r.Name):
		return fmt.Errorf("add rule: %q is not a valid name", r.Name)
	case exists:
		return fmt.Errorf("add rule: %q already exists", r.Name)
	case r.Schedule == "" && !json.Valid([]byte(r.EventPattern)):
		return fmt.Errorf("add rule: %q has neither a schedule nor a pattern in JSON", r.Name)
	}
	b.rules = slices.Insert(b.rules, i, r)
	return nil
}

// RuleEnabled reports whether there is an enabled rule of that name.
func (s *Server) RuleEnabled(name string) bool {
	b := s.events
	b.mu.Lock()
	defer b.mu.Unlock()
	i, ok := b.findRule(name)
	return ok && !b.rules[i].Disabled
}

// findRule returns the index of a rule. b.mu is held.
func (b *eventBridgeService) findRule(name string) (int, bool) {
	return slices.BinarySearchFunc(b.rules, name, func(r Rule, name string) int { return strings.Compare(r.Name, name) })
}

// shownRule is a rule as the API shows it.
type shownRule struct {
	Name, Arn, State, EventBusName                string
	EventPattern, ScheduleExpression, Description string `json:",omitempty"`
}

func (b *eventBridgeService) shown(r Rule) shownRule {
	state := "ENABLED"
	if r.Disabled {
		state = "DISABLED"
	}
	return shownRule{r.Name, b.ruleARN(r.Name), state, "default", r.EventPattern, r.Schedule, r.Description}
}

func (b *eventBridgeService) ruleARN(name string) string {
	return "arn:aws:events:" + b.region + ":" + b.account + ":rule/" + name
}

// named returns the rule that a request names; b.mu must be held for as long as it is used.
func (b *eventBridgeService) named(r *request) (*Rule, *apiError) {
	var in struct{ Name, EventBusName string }
	if err := b.decode(r, &in); err != nil {
		return nil, err
	}
	switch i, ok := b.findRule(in.Name); {
	case in.Name == "":
		return nil, badRequest("ValidationException", "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null")
	case !b.isDefault(in.EventBusName):
		return nil, badRequest("ResourceNotFoundException", "Event bus %s does not exist.", in.EventBusName)
	case !ok:
		return nil, badRequest("ResourceNotFoundException", "Rule %s does not exist on EventBus default.", in.Name)
	default:
		return &b.rules[i], nil
	}
}

// describeRule returns one rule.
func (b *eventBridgeService) describeRule(r *request) (reply, *apiError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rule, err := b.named(r)
	if err != nil {
		return reply{}, err
	}
	return b.encode(struct {
		shownRule
		CreatedBy string
	}{b.shown(*rule), b.account})
}

// enableRule enables or disables a rule. The answer is empty.
func (b *eventBridgeService) enableRule(r *request, enabled bool) (reply, *apiError) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rule, err := b.named(r)
	if err != nil {
		return reply{}, err
	}
	rule.Disabled = !enabled
	answer, err := b.encode(struct{}{})
	answer.body = nil
	return answer, err
}

// listRules returns the rules of the default event bus, in one page.
func (b *eventBridgeService) listRules(r *request) (reply, *apiError) {
	var in struct{ NamePrefix, EventBusName, NextToken string }
	if err := b.decode(r, &in); err != nil {
		return reply{}, err
	}
	switch {
	case !b.isDefault(in.EventBusName):
		return reply{}, badRequest("ResourceNotFoundException", "Event bus %s does not exist.", in.EventBusName)
	case in.NextToken != "":
		return reply{}, badRequest("ValidationException", "The local AWS lists rules in one page; NextToken is not one of its tokens.")
	}
	out := struct{ Rules []shownRule }{[]shownRule{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rules {
		if strings.HasPrefix(r.Name, in.NamePrefix) {
			out.Rules = append(out.Rules, b.shown(r))
		}
	}
	return b.encode(out)
}
