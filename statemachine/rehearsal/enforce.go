package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/lambda-rollout/lambda-rollout/lambdas/arn"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// enforce makes each function run with its role and its environment in the
// template.
func (r *run) enforce(cfg aws.Config) error {
	if r.options.Simple {
		if _, ok := r.options.Template.functions[simpleDeploy]; !ok {
			return errors.New("the template has no function SimpleDeploy to rehearse: synthesize it with -c simple=true")
		}
		var err error
		r.simplePorts, err = r.portsOf(simpleDeploy, cfg)
		return err
	}
	var problems []error
	for _, m := range r.machines() {
		problems = append(problems, r.enforceOf(m, cfg))
	}
	return errors.Join(problems...)
}

// enforceOf is enforce for the functions of one state machine.
func (r *run) enforceOf(m *machine, cfg aws.Config) error {
	for _, f := range m.workflow.functions {
		ports, err := r.portsOf(f.Name, cfg)
		if err != nil {
			return err
		}
		arn := functionARN(f.Name)
		m.functions[arn] = m.workflow.handlers(ports, r.recent())[arn]
	}
	return nil
}

// portsOf returns the ports through which a deployed function reaches AWS, and
// creates the stack's own topic if there is one.
func (r *run) portsOf(name string, cfg aws.Config) (wire.Ports, error) {
	f := r.options.Template.functions[name]
	p := r.portsThrough(r.server.As(f.role.principal, cfg))
	p.Environment = wire.ReadEnvironment(func(variable string) string { return f.environment[variable] })
	if r.logOf != nil {
		p.Log = r.logOf(f)
	}
	own := p.Topic
	if own == "" || slices.Contains(r.topics, own) {
		return p, nil
	}
	r.topics = append(r.topics, own)
	topic, err := r.server.AddTopic(arn.Name(own))
	if err == nil && topic != own {
		err = fmt.Errorf("the stack's topic is %s, which is not in the rehearsal's account and Region; there it would be %s", own, topic)
	}
	return p, err
}

// tag opts in the function that is rolled out, checks and hooks, and secrets, except
// for those that the scenario lists as untagged.
func (r *run) tag() error {
	var problems []error
	give := func(name, arn, key string) {
		tags := map[string]string{key: "enabled"}
		if slices.Contains(r.options.Scenario.Untagged, name) {
			tags = nil
		}
		problems = append(problems, r.server.SetTags(arn, tags))
	}
	function := func(name, key string) {
		give(name, "arn:aws:lambda:"+region+":"+account+":function:"+name, key)
	}
	for name := range r.dependencies().Functions {
		function(name, "lambda-rollout-check")
	}
	for reference := range r.options.Scenario.Secrets {
		kind, name, _ := strings.Cut(reference, ":")
		if kind == "ssm" {
			give(reference, "arn:aws:ssm:"+region+":"+account+":parameter/"+strings.TrimPrefix(name, "/"), "lambda-rollout")
		} else {
			give(reference, "arn:aws:secretsmanager:"+region+":"+account+":secret:"+name, "lambda-rollout")
		}
	}
	function(r.request.Function(), "lambda-rollout")
	return errors.Join(problems...)
}

// asItself makes the state machine invoke functions with its role.
func (m *machine) asItself(call asl.Invoke) asl.Invoke {
	if m.permits == nil {
		return call
	}
	return func(ctx context.Context, resource string, input json.RawMessage) (json.RawMessage, error) {
		if err := m.asMachine("lambda:InvokeFunction", resource); err != nil {
			return nil, &asl.TaskError{Name: "Lambda.AWSLambdaException", Cause: err.Error()}
		}
		return call(ctx, resource, input)
	}
}

// executionARN returns the ARN of the execution of that name.
func (m *machine) executionARN(name string) string {
	return strings.Replace(m.arn, ":stateMachine:", ":execution:", 1) + ":" + name
}

// followed authorizes what Step Functions does with the machine's role after an
// execution has ended that was started by another one or has started others: it
// describes it for the one that waits for it, and stops those that it waited for.
func (m *machine) followed(e *execution) {
	if m.permits == nil {
		return
	}
	for _, other := range m.executions {
		switch {
		case other.ARN() == e.parent && other.Status() == asl.Running:
			_ = m.asMachine("states:DescribeExecution", e.ARN()) // it is in denied
		case other.parent == e.ARN() && (other.Status() == asl.Running || other.Result().Abandoned):
			_ = m.asMachine("states:StopExecution", other.ARN())
		}
	}
}
