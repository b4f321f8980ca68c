package rehearsal

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/statemachine/iam"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// eventBridge is the principal with which EventBridge invokes functions.
const eventBridge = "events.amazonaws.com"

// permissions decide what the roles of a template may do in one rehearsal, and
// record the decisions. If nil, everything is allowed.
type permissions struct {
	template *Template
	roles    map[string]iam.Policies // by principal
	// needed counts the calls that no other permission allowed, by permission.
	needed map[held]int
	denied []string // each refusal once; at most maxDenied
	err    error    // requests that could not be evaluated
	logged map[string]bool

	// without is a permission that tests remove.
	without held
}

// maxDenied is how many different refusals are listed. Some name an execution, so that an AWS that stays could have any
// number of them.
const maxDenied = 1000

// held is a permission of a principal.
type held struct {
	principal string
	iam.Permission
}

// newPermissions returns the permissions of a template; nil without one.
func newPermissions(t *Template) *permissions {
	if t == nil {
		return nil
	}
	return &permissions{template: t, roles: t.roles(), needed: map[held]int{}, logged: map[string]bool{}}
}

// roles returns all policies that are enforced, by principal.
func (t *Template) roles() map[string]iam.Policies {
	all := map[string]iam.Policies{eventBridge: t.grants}
	for _, m := range t.machines() {
		all[m.machine.principal] = m.machine.policies
	}
	for _, f := range t.functions {
		all[f.role.principal] = f.role.policies
	}
	return all
}

// authorize implements the Authorize option of the local AWS: it returns an error
// that explains why the principal may not perform the action, or nil.
func (p *permissions) authorize(principal, action, resource string, context map[string][]string) error {
	effect, by, err := p.evaluate(principal, action, resource, context)
	switch {
	case err != nil:
		p.err = errors.Join(p.err, err)
		return err
	case effect == iam.Allowed:
		if len(by) == 1 {
			p.needed[held{principal, by[0]}]++
		}
		return p.useKey(principal, action, resource)
	}
	policies := "identity-based"
	if principal == eventBridge {
		policies = "resource-based"
	}
	why := fmt.Errorf("no %s policy allows the %s action", policies, action)
	if effect == iam.ExplicitlyDenied {
		why = fmt.Errorf("there is an explicit deny in an %s policy", policies)
	}
	if text := localaws.NotAuthorized(principal, action, resource, why); len(p.denied) < maxDenied && !slices.Contains(p.denied, text) {
		p.denied = append(p.denied, text)
	}
	return why
}

// evaluate decides about a request without recording it.
func (p *permissions) evaluate(principal, action, resource string, context map[string][]string) (iam.Effect, []iam.Permission, error) {
	policies, ok := p.roles[principal]
	if !ok {
		return iam.ImplicitlyDenied, nil, fmt.Errorf("a call of %s by %s, which has no role in the template", action, principal)
	}
	decision, err := policies.Evaluate(iam.Request{Action: action, Resource: resource, Context: context})
	if err != nil || decision.Effect != iam.Allowed || p.without.principal != principal {
		return decision.Effect, decision.By, err
	}
	by := slices.DeleteFunc(decision.By, func(one iam.Permission) bool { return one == p.without.Permission })
	if len(by) == 0 {
		return iam.ImplicitlyDenied, nil, nil
	}
	return iam.Allowed, by, nil
}

// useKey authorizes the use of the key of an encrypted topic or queue that is sent
// to.
func (p *permissions) useKey(principal, action, resource string) error {
	key, ok := p.template.keys[resource]
	if !ok || action != "sns:Publish" && action != "sqs:SendMessage" {
		return nil
	}
	via := map[string][]string{"kms:ViaService": {action[:3] + "." + region + ".amazonaws.com"}}
	return errors.Join(
		p.authorize(principal, "kms:GenerateDataKey", key, via),
		p.authorize(principal, "kms:Decrypt", key, via))
}

// asMachine authorizes a call that Step Functions makes with the machine's role. It
// evaluates no resource tags.
func (m *machine) asMachine(action, resource string) error {
	if m.permits == nil {
		return nil
	}
	as := m.deployed.machine.principal
	if why := m.permits.authorize(as, action, resource, nil); why != nil {
		return errors.New(localaws.NotAuthorized(as, action, resource, why))
	}
	return nil
}

// mayStop reports whether Step Functions can stop a nested execution.
func (m *machine) mayStop(execution string) bool {
	if m.permits == nil {
		return true
	}
	effect, _, err := m.permits.evaluate(m.deployed.machine.principal, "states:StopExecution", execution, nil)
	return err == nil && effect == iam.Allowed
}

// authorizeCreation authorizes what Step Functions does with the machine's role when the
// machine is created, and later on its behalf: deliver its log, trace it, and be
// notified of the end of nested executions.
func (m *machine) authorizeCreation() {
	if m.permits == nil {
		return
	}
	rule := "arn:aws:events:" + region + ":" + account + ":rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
	actions := map[string]string{"events:PutTargets": rule, "events:PutRule": rule, "events:DescribeRule": rule}
	everywhere := func(given ...string) {
		for _, action := range given {
			actions[action] = "*"
		}
	}
	if m.deployed.logs {
		everywhere("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
			"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups")
	}
	if m.deployed.tracing {
		everywhere("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets")
	}
	for _, action := range slices.Sorted(maps.Keys(actions)) {
		_ = m.asMachine(action, actions[action]) // a refusal is in denied
	}
}

// invoked authorizes what Lambda does with a function's role at each invocation:
// write its log, for which the first invocation creates a stream, and trace it. The
// function runs even if that is refused.
func (p *permissions) invoked(function string) {
	if p == nil {
		return
	}
	f := p.template.functions[function]
	const stream = ":log-stream:"
	if !p.logged[function] {
		p.logged[function] = true
		_ = p.authorize(f.role.principal, "logs:CreateLogStream", f.logGroup+stream, nil)
	}
	_ = p.authorize(f.role.principal, "logs:PutLogEvents", f.logGroup+stream+"2026/01/01/[$LATEST]1", nil)
	if f.tracing {
		_ = p.authorize(f.role.principal, "xray:PutTraceSegments", "*", nil)
		_ = p.authorize(f.role.principal, "xray:PutTelemetryRecords", "*", nil)
	}
}

// givenUp authorizes what Lambda does with a function's role after the last retry
// of an asynchronous invocation has failed. It returns the ARN of the queue that
// receives the event; "" if none does.
func (p *permissions) givenUp(function string) (queue string) {
	if p == nil || p.template.functions[function].givenUp == "" {
		return ""
	}
	f := p.template.functions[function]
	if p.authorize(f.role.principal, "sqs:SendMessage", f.givenUp, nil) != nil {
		return ""
	}
	return f.givenUp
}

// mayCleanUp reports whether EventBridge may invoke the machine's cleanup on an
// occasion.
func (m *machine) mayCleanUp(occasion int) bool {
	if m.permits == nil {
		return true
	}
	return m.permits.mayCall(m.workflow.cleanup, [...]string{ended: m.deployed.ended, swept: m.deployed.sweep}[occasion])
}

// mayCallProvider is mayCleanUp for the provider of stacks.
func (p *permissions) mayCallProvider(occasion int) bool {
	if p == nil {
		return true
	}
	return p.mayCall(stackProvider, [...]string{ended: p.template.stackEnded, swept: p.template.stackSweep}[occasion])
}

// mayCall reports whether a rule of EventBridge may invoke a function.
func (p *permissions) mayCall(function, rule string) bool {
	return p.authorize(eventBridge, "lambda:InvokeFunction", functionARN(function),
		map[string][]string{"aws:SourceArn": {rule}, "aws:SourceAccount": {account}}) == nil
}

// mayReceive reports whether Lambda may take messages from the queue of a function's
// invocations whose retries failed, with the function's role.
func (p *permissions) mayReceive(function string) bool {
	if p == nil {
		return true
	}
	f := p.template.functions[function]
	allowed := true
	for _, action := range []string{"sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:DeleteMessage"} {
		allowed = p.authorize(f.role.principal, action, f.givenUp, nil) == nil && allowed
	}
	return allowed
}

// failure returns an error if a request could not be evaluated.
func (p *permissions) failure() error {
	if p == nil {
		return nil
	}
	return p.err
}
