package localaws

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

func TestRulesAreEnabledAndDisabled(t *testing.T) {
	overBothTransports(t, func(t *testing.T, w *world) {
		check(t, w.AddRule(Rule{Name: "sweep", Schedule: "rate(1 minute)"}))
		for _, cfg := range configurations(t, w.Server) {
			events, ctx := eventbridge.NewFromConfig(cfg), t.Context()
			for _, state := range []string{"ENABLED", "DISABLED", "ENABLED"} {
				var err error
				if state == "DISABLED" {
					_, err = events.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: aws.String("sweep"), EventBusName: aws.String("default")})
				} else {
					_, err = events.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: aws.String("sweep")})
				}
				check(t, err)
				all, err := events.ListRules(ctx, nil)
				check(t, err)
				one, err := events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("sweep")})
				check(t, err)
				if string(all.Rules[0].State) != state || string(one.State) != state || w.RuleEnabled("sweep") != (state == "ENABLED") {
					t.Errorf("the rule is %s in the list, %s by itself, want %s", all.Rules[0].State, one.State, state)
				}
				if *one.Arn != "arn:aws:events:eu-central-1:123456789012:rule/sweep" || *one.EventBusName != "default" || *one.ScheduleExpression != "rate(1 minute)" || *one.CreatedBy != "123456789012" {
					t.Errorf("the rule is %+v", one)
				}
			}
			for rule, want := range map[string]string{"none": "Rule none does not exist on EventBus default.", "": "1 validation error"} {
				_, err := events.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: &rule})
				if err == nil || !strings.Contains(err.Error(), want) && rule != "" {
					t.Errorf("%q: %v", rule, err)
				}
			}
			if w.RuleEnabled("none") {
				t.Error("a rule that does not exist is enabled")
			}
		}
	})
}
