package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack"
	"github.com/lambda-rollout/lambda-rollout/lambdas/stack/clients"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	local "github.com/lambda-rollout/lambda-rollout/statemachine/cloudformation"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Stack rehearses a rollout that is declared in a CloudFormation template: a stack with the
// resource Rollout, of the type Custom::LambdaRollout, is updated to the new version.
type Stack struct {
	// First creates the stack with the new version, where there is no alias.
	First bool
	// Publish has the stack publish the new version, and remove the one before: versions are
	// resources of it.
	Publish bool
	// Fails has another resource of the stack fail after the promotion, so that the stack
	// is rolled back.
	Fails bool
	// CancelAfter cancels the update after so many seconds; 0 for never.
	CancelAfter int
	// DeleteAfter deletes the stack after so many seconds of the update, as soon as
	// CloudFormation allows it; 0 for never.
	DeleteAfter int
	// Twice delivers each request twice, and Lost loses the first answer on its way.
	Twice, Lost bool
	// Fault is what goes wrong with one of the provider's calls.
	Fault ProviderFault
}

// stackProvider is the name of the function that provides the resource.
const stackProvider = "StackRollout"

// recordsPath is where Parameter Store keeps the requests of stacks.
const recordsPath = "/lambda-rollout-stacks/lambda-rollout"

// How often the stack's schedule calls the provider.
const providerInterval = time.Minute

// stackRun is a rehearsal of a stack.
type stackRun struct {
	engine *local.Engine
	stack  *local.Stack
	over   bool
	ended  *asl.Signal // the first execution has
	faulty faultyProvider
	open   int // requests that are not over
	// records is where the provider keeps its records.
	records string
}

// StackResult is how a rehearsed stack ended.
type StackResult struct {
	// Status is the stack's: UPDATE_COMPLETE if all went well.
	Status types.StackStatus `json:"status"`
	// Answers are the statuses that the provider answered, in their order, with the reasons of
	// those that failed.
	Answers []string `json:"answers"`
	// Calls is how many calls the provider made, and answers it sent.
	Calls int `json:"calls"`
	// Open is how many requests are not over.
	Open int `json:"open"`
}

// Updated reports whether the stack was updated.
func (s StackResult) Updated() bool { return s.Status == types.StackStatusUpdateComplete }

// end fills in how the stack ended. Without an execution, the request was refused.
func (s *stackRun) end(result *Result, m *machine, start time.Time) {
	result.Stack = &StackResult{Status: s.stack.Status(), Calls: s.faulty.calls, Open: s.open}
	var failed []stack.Answer
	for _, put := range s.engine.Answers() {
		var a stack.Answer
		if json.Unmarshal([]byte(put.Body), &a) != nil {
			continue
		}
		result.Stack.Answers = append(result.Stack.Answers, strings.TrimSpace(string(a.Status)+" "+a.Reason))
		if a.Status == stack.Failed {
			failed = append(failed, a)
		}
	}
	if len(m.executions) > 0 {
		m.end(result, start)
		return
	}
	result.Outcome, result.Seconds = Unchanged, m.clock.Now().Sub(start).Seconds()
	if len(failed) > 0 {
		result.Outcome, result.Error, result.Reason = Refused, "InvalidRequest", failed[0].Reason
	}
}

// provide adds the provider to the machine's functions, and runs CloudFormation.
func (r *run) provide(cfg aws.Config) error {
	r.stack.engine = local.New(local.Options{
		Server: r.server, Clock: r.clock, Invoke: r.machine.invoke(),
		OnFailure: r.redeliver, DeliverAgain: r.again(), OnPut: r.onPut,
		OnEvent: func(e local.Event) {
			r.timeline.add(r.clock.Now(), Entry{State: "CloudFormation", Text: e.String()})
		},
	})
	p := r.ports
	p.Machine, p.RecordsPath = r.machine.arn, recordsPath
	if t := r.options.Template; t != nil {
		f, ok := t.functions[stackProvider]
		if !ok {
			return errors.New("the template has no function StackRollout to rehearse: synthesize it with -c stack=true")
		}
		cfg = r.server.As(f.role.principal, cfg)
		p.Environment = wire.ReadEnvironment(func(variable string) string { return f.environment[variable] })
	}
	p = r.stackPorts(p, cfg)
	provider := p.StackRollout()
	r.machine.functions[functionARN(stackProvider)] = runtime.NewHandler(func(ctx context.Context, input json.RawMessage) error {
		defer r.stack.faulty.over()
		return provider.Handle(ctx, input)
	})
	r.stack.ended = r.clock.NewSignal()
	r.machine.onEnd = func(event json.RawMessage) {
		r.stack.ended.Fire()
		r.callProvider(ended, event)
	}
	return nil
}

// stackPorts returns ports with those of the provider, over AWS clients with a
// configuration.
func (r *run) stackPorts(p wire.Ports, cfg aws.Config) wire.Ports {
	r.stack.records = p.RecordsPath
	r.stack.faulty.fault = r.options.Stack.Fault
	cfg.HTTPClient = doer(r.stack.faulty.through(cfg.HTTPClient.Do))
	answers := doer(r.stack.faulty.through(r.stack.engine.RoundTrip))
	p.Stacks = wire.StackPorts{
		Records:    clients.NewRecords(ssm.NewFromConfig(cfg), p.RecordsPath),
		Executions: clients.NewExecutions(sfn.NewFromConfig(cfg)),
		Aliases:    clients.NewAliases(lambda.NewFromConfig(cfg)),
		Answers:    clients.NewAnswers(&http.Client{Transport: answers}, clients.Amazon, p.Sleep),
		Stacks:     clients.NewStacks(cloudformation.NewFromConfig(cfg)),
	}
	return p
}

func (r *run) again() time.Duration {
	if r.options.Stack.Twice {
		return 2 * time.Second
	}
	return 0
}

// onPut loses the first answer, if that is rehearsed: however often it is sent at once.
func (r *run) onPut(number int) localaws.FaultKind {
	if r.options.Stack.Lost && number <= 3 {
		return localaws.CutBefore
	}
	return ""
}

// callProvider calls the provider as EventBridge does on an occasion: asynchronously, with two
// retries.
func (r *run) callProvider(occasion int, event json.RawMessage) {
	if !r.machine.permits.mayCallProvider(occasion) {
		return
	}
	for try := range 3 {
		r.clock.Sleep(time.Duration(try) * time.Minute)
		if _, err := r.machine.invoke()(context.Background(), functionARN(stackProvider), event); err == nil {
			return
		}
	}
}

// redeliver calls the provider with a request that Lambda gave up, as the queue does: every
// few minutes, for two hours.
func (r *run) redeliver(_ string, record []byte) {
	message, err := json.Marshal(map[string]any{"Records": []any{map[string]string{"body": string(record)}}})
	if err != nil {
		panic(err) // it is made of a text
	}
	_ = r.machine.permits.givenUp(stackProvider) // it is made again in any case
	r.clock.Go(func() {
		if !r.machine.permits.mayReceive(stackProvider) {
			return
		}
		for range 40 {
			if _, err := r.machine.invoke()(context.Background(), functionARN(stackProvider), message); err == nil {
				return
			}
			r.clock.Sleep(3 * time.Minute)
		}
	})
}

// decode returns the request. A stack's may have texts in place of numbers, and more
// properties; and its plan may be too long to wait for, which is for the provider to refuse.
func (r *run) decode() (rollout.Request, error) {
	if r.options.Stack == nil {
		return rollout.Decode(r.options.Input)
	}
	p, err := stack.ReadProperties(r.options.Input)
	if p.Request.FunctionName != "" {
		err = nil
	}
	return p.Request, err
}

// playStack creates the stack with the version that the alias has, updates it to the new
// one, and waits until all executions and cleanups are over.
func (r *run) playStack() {
	r.clock.Go(func() {
		for !r.stack.over {
			r.clock.Sleep(providerInterval)
			if event, err := json.Marshal(map[string]any{"sweep": r.machine.arn, "time": r.clock.Now()}); err == nil {
				r.clock.Go(func() { r.callProvider(swept, event) })
			}
		}
	})
	defer func() { r.stack.over = true }()
	before, after, err := r.templates()
	if err == nil {
		r.stack.stack, err = r.stack.engine.Create("rehearsal", before)
	}
	if err != nil {
		r.err = err
		return
	}
	r.stack.stack.Wait()
	defer r.settleStack()
	if r.stack.stack.Status() != types.StackStatusCreateComplete {
		return // there is nothing to update
	}
	if !r.options.Stack.First {
		r.clock.Sleep(time.Millisecond) // which of two requests is newer is decided by their times
		if r.err = errors.Join(r.changeCode(), r.stack.stack.Update(after)); r.err != nil {
			return
		}
	}
	r.letIntervene(steered{
		ended: func() *asl.Signal { return r.stack.ended },
		stop: func() {
			for _, e := range r.machine.executions {
				e.Stop("", "Stopped by an operator")
			}
		},
		redrive: func() error {
			return errors.New("the scenario redrives the rollout, for which a stack does not wait: leave that out")
		},
	})
	if after := r.options.Stack.CancelAfter; after > 0 {
		r.clock.Go(func() {
			r.clock.Sleep(time.Duration(after) * time.Second)
			_ = r.stack.stack.CancelUpdate() // it is refused if the update is over
		})
	}
	r.stack.stack.Wait()
	if r.options.Stack.DeleteAfter > 0 {
		r.clock.Sleep(time.Duration(r.options.Stack.DeleteAfter) * time.Second)
		if err := r.stack.stack.Delete(); err != nil {
			r.err = err
			return
		}
		r.stack.stack.Wait()
	}
}

// settleStack waits until all executions, cleanups and requests are over.
func (r *run) settleStack() {
	r.machine.settle()
	r.clock.Sleep(2 * providerInterval)
	records, err := clients.NewRecords(ssm.NewFromConfig(r.server.Config()), r.stack.records).All(context.Background(), "")
	if err != nil {
		r.err = err
	}
	for _, record := range records {
		if !record.Over {
			r.stack.open++
		}
	}
}
