package rehearsal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/iam"
)

// Template is the CloudFormation template of a stack, as `cdk synth` writes it. With
// one, the workflow's functions and the state machine run with their roles: calls
// that these don't allow are refused as AWS refuses them.
type Template struct {
	source          *iam.Template
	deployedMachine                     // the rollouts'
	releases        *deployedMachine    // the releases'; nil if there is none
	functions       map[string]deployed // by the task's name, and SimpleDeploy
	// grants are EventBridge's permissions to invoke functions.
	grants iam.Policies
	// stackEnded and stackSweep are those of the rules that call the provider; empty if
	// there is none.
	stackEnded, stackSweep string
	// keys are the ARNs of the customer managed keys of topics and queues, by the ARN
	// of the topic or queue.
	keys map[string]string
}

// deployedMachine is a state machine as the template has it.
type deployedMachine struct {
	machine    role
	machineARN string
	// ended and sweep are the ARNs of the rules that call the cleanup.
	ended, sweep  string
	logs, tracing bool
}

// machines returns the state machines of the template.
func (t *Template) machines() []*deployedMachine {
	if t.releases == nil {
		return []*deployedMachine{&t.deployedMachine}
	}
	return []*deployedMachine{&t.deployedMachine, t.releases}
}

// role is the principal of calls, and its policies.
type role struct {
	principal string // the ARN of the role's session
	policies  iam.Policies
}

// deployed is a function as the template has it.
type deployed struct {
	role        role
	environment map[string]string
	logGroup    string // its ARN
	tracing     bool
	timeout     time.Duration
	// givenUp is the ARN of the queue for asynchronous invocations whose retries
	// failed; empty if there is none.
	givenUp string
}

// The Region and the account of all rehearsals.
const (
	region  = "eu-central-1"
	account = "123456789012"
)

// simpleDeploy is the function of the one-function deployer.
const simpleDeploy = "SimpleDeploy"

// ParseTemplate reads a template, as JSON. It returns an error if the template has
// something that a rehearsal can't enforce.
func ParseTemplate(data []byte) (*Template, error) {
	source, err := iam.ParseTemplate(data, iam.Place{Region: region, Account: account, Stack: "lambda-rollout"})
	if err != nil {
		return nil, err
	}
	t := &Template{source: source, functions: map[string]deployed{}, keys: map[string]string{}}
	if err := t.read(source); err != nil {
		return nil, fmt.Errorf("the template: %w", err)
	}
	return t, nil
}

// read reads the state machines with their functions, roles and rules, and the keys.
func (t *Template) read(source *iam.Template) error {
	var problems []error
	for _, of := range []*workflow{&rolloutWorkflow, &releaseWorkflow} {
		ids, err := machinesOf(source, of)
		switch {
		case err != nil:
			return err
		case len(ids) == 0 && of == &releaseWorkflow:
			continue // that of an earlier version
		case len(ids) != 1:
			return fmt.Errorf("it has %d state machines of the workflow of %s, but must have one: use the template of the stack with the rollouts", len(ids), of.name)
		}
		m := &t.deployedMachine
		if of == &releaseWorkflow {
			t.releases = &deployedMachine{}
			m = t.releases
		}
		problems = append(problems, t.readFunctions(source, of, ids[0]), m.read(source, ids[0]), m.readRules(source, of.cleanup))
	}
	return errors.Join(append(problems, t.readRules(source), t.readKeys(source))...)
}

// machinesOf returns the logical ids of the state machines of a workflow: those that have
// all of its functions.
func machinesOf(source *iam.Template, of *workflow) (ids []string, err error) {
	for _, id := range source.OfType("AWS::StepFunctions::StateMachine") {
		has := true
		for _, f := range of.functions {
			arn, textErr := source.Text(id, "DefinitionSubstitutions", f.Substitution)
			has, err = has && arn != "", errors.Join(err, textErr)
		}
		if has {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// readFunctions reads the functions of a workflow, and SimpleDeploy and StackRollout if
// there are.
func (t *Template) readFunctions(source *iam.Template, of *workflow, machine string) error {
	ids, err := callFunctions(source, of, machine)
	if err != nil {
		return err
	}
	for name, id := range ids {
		if t.functions[name], err = readFunction(source, id); err != nil {
			return fmt.Errorf("function %s: %w", name, err)
		}
	}
	return nil
}

// callFunctions names the workflow's functions, and SimpleDeploy and StackRollout if there are, as
// in rehearsals. It returns their logical ids by task.
func callFunctions(source *iam.Template, of *workflow, machine string) (map[string]string, error) {
	ids := map[string]string{}
	all := source.OfType("AWS::Lambda::Function")
	for _, f := range of.functions {
		arn, err := source.Text(machine, "DefinitionSubstitutions", f.Substitution)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(all, func(id string) bool {
			own, err := source.ARN(id)
			return err == nil && own == arn
		})
		if at < 0 {
			return nil, fmt.Errorf("the state machine's substitution %s is %q, and should be the ARN of one of its functions", f.Substitution, arn)
		}
		ids[f.Name] = all[at]
	}
	for _, id := range all {
		for _, name := range []string{simpleDeploy, stackProvider} {
			if of == &rolloutWorkflow && strings.Contains(id, name) {
				ids[name] = id
			}
		}
	}
	for name, id := range ids {
		source.Call(id, "lambda-rollout-"+name)
		if arn, err := source.ARN(id); err != nil || arn != functionARN(name) {
			return nil, fmt.Errorf("%s has an explicit name (%s), which rehearsals do not support: %w", id, arn, err)
		}
	}
	return ids, nil
}

// readFunction reads the function with a logical id.
func readFunction(source *iam.Template, id string) (deployed, error) {
	d := deployed{environment: map[string]string{}}
	name, err := source.Name(id)
	if err != nil {
		return d, err
	}
	if d.role, err = readRole(source, id, "Role", name); err != nil {
		return d, err
	}
	texts := map[string]string{}
	for at, path := range map[string][]string{
		"group": {"LoggingConfig", "LogGroup"}, "tracing": {"TracingConfig", "Mode"},
		"given up": {"DeadLetterConfig", "TargetArn"}, "key": {"KmsKeyArn"},
	} {
		if texts[at], err = source.Text(id, path...); err != nil {
			return d, err
		}
	}
	for _, variable := range []string{wire.GatesVariable, wire.TopicsVariable, wire.TopicVariable, wire.NamespaceVariable, wire.MachineVariable, wire.RecordsVariable, wire.ReleasesVariable} {
		if d.environment[variable], err = source.Text(id, "Environment", "Variables", variable); err != nil {
			return d, err
		}
	}
	timeout, err := source.Property(id, "Timeout")
	if err != nil {
		return d, err
	}
	if given, ok := timeout.(float64); ok {
		d.timeout = seconds(given)
	} else {
		d.timeout = 3 * time.Second // CloudFormation's default
	}
	if texts["key"] != "" {
		return d, errors.New("its KmsKeyArn encrypts its environment, and rehearsals do not know which permissions that takes")
	}
	d.logGroup = "arn:aws:logs:" + region + ":" + account + ":log-group:" + cmp.Or(texts["group"], "/aws/lambda/"+name)
	d.tracing, d.givenUp = texts["tracing"] == "Active", texts["given up"]
	for _, config := range source.OfType("AWS::Lambda::EventInvokeConfig") {
		of, err := source.Text(config, "FunctionName")
		if err != nil {
			return d, err
		}
		to, err := source.Text(config, "DestinationConfig", "OnFailure", "Destination")
		if err != nil {
			return d, err
		}
		if of == name {
			d.givenUp = cmp.Or(to, d.givenUp)
		}
	}
	if d.givenUp != "" && !strings.HasPrefix(d.givenUp, "arn:aws:sqs:") {
		return d, fmt.Errorf("invocations whose retries failed go to %s, and rehearsals support only queues", d.givenUp)
	}
	return d, nil
}

// readRole reads the role of a resource; its sessions have the given name.
func readRole(source *iam.Template, id, property, session string) (role, error) {
	r, err := source.RoleOf(id, property)
	return role{"arn:aws:sts::" + account + ":assumed-role/" + r.Name + "/" + session, r.Policies}, err
}

// read reads the state machine's role, logging and tracing.
func (m *deployedMachine) read(source *iam.Template, id string) error {
	var err error
	if m.machineARN, err = source.ARN(id); err != nil {
		return err
	}
	if m.machine, err = readRole(source, id, "RoleArn", "states"); err != nil {
		return err
	}
	level, err := source.Text(id, "LoggingConfiguration", "Level")
	if err != nil {
		return err
	}
	m.logs = level != "" && level != "OFF"
	tracing, err := source.Property(id, "TracingConfiguration", "Enabled")
	if err != nil {
		return err
	}
	m.tracing = tracing == true
	if key, err := source.Property(id, "EncryptionConfiguration", "KmsKeyId"); err != nil || key != nil {
		return fmt.Errorf("the state machine is encrypted with a key, and rehearsals do not know which permissions that takes: %w", err)
	}
	return nil
}

// readKeys finds the customer managed keys. AWS managed keys need no permissions.
func (t *Template) readKeys(source *iam.Template) error {
	for _, kind := range []string{"AWS::SNS::Topic", "AWS::SQS::Queue"} {
		for _, id := range source.OfType(kind) {
			key, err := source.Text(id, "KmsMasterKeyId")
			if err != nil {
				return err
			}
			arn, err := source.ARN(id)
			if err != nil {
				return err
			}
			switch {
			case key == "" || strings.HasPrefix(key, "alias/aws/"):
			case strings.HasPrefix(key, "alias/"):
				return fmt.Errorf("%s is encrypted with %s, and rehearsals do not know which key that is", id, key)
			case strings.HasPrefix(key, "arn:"):
				t.keys[arn] = key
			default:
				t.keys[arn] = "arn:aws:kms:" + region + ":" + account + ":key/" + key
			}
		}
	}
	return nil
}
