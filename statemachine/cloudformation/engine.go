package cloudformation

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// Options configure an Engine. Server and Clock are required, and Invoke if there are custom resources.
type Options struct {
	// Server has the functions of stacks, and receives the stacks' statuses.
	Server *localaws.Server
	Clock  *asl.Clock

	// Invoke calls the provider of a custom resource, whose ServiceToken is the resource, with an event. Each call has its
	// own actor. The result is ignored; an error is the function's failure, after which Lambda calls twice more.
	Invoke asl.Invoke
	// OnFailure is called with the record that Lambda sends to a failure destination when three calls have failed. Nil for
	// no destination.
	OnFailure func(serviceToken string, record []byte)

	// DeliverAgain has each event delivered a second time, that long after the first; 0 for once.
	DeliverAgain time.Duration
	// ReuseRequestIDs has all requests of a stack operation for one resource share their RequestId.
	ReuseRequestIDs bool
	// OnPut decides what goes wrong with the PUT of that number, counted from 1: "" for nothing, localaws.CutBefore,
	// CutAfter, ServerError or Unavailable. Nil for nothing.
	OnPut func(number int) localaws.FaultKind
	// OnEvent is called with each event of a stack. Nil for none.
	OnEvent func(Event)
}

// Engine runs stacks. Its methods, and those of its stacks, may be called by actors of the clock and by the goroutine that
// runs the clock, before and after that.
type Engine struct {
	options Options
	clock   *asl.Clock
	lambda  *lambda.Client
	signed  map[string]presigned // by path
	handles map[string]*handle   // of wait conditions, by URL
	answers []Answer
	drawn   int // how many identifiers were made
}

// New returns an Engine without stacks.
func New(o Options) *Engine {
	return &Engine{options: o, clock: o.Clock, lambda: lambda.NewFromConfig(o.Server.Config()), signed: map[string]presigned{}, handles: map[string]*handle{}}
}

// Create starts to create a stack and returns at once.
func (e *Engine) Create(name string, t Template) (*Stack, error) {
	t, err := t.checked()
	if err != nil {
		return nil, err
	}
	id, err := e.options.Server.AddStack(name)
	if err != nil {
		return nil, err
	}
	s := &Stack{engine: e, name: name, id: id, resources: map[string]*instance{}}
	s.begin(types.StackStatusCreateInProgress, "User Initiated", func() { s.create(t) })
	return s, nil
}

// Event is an event of a stack, as DescribeStackEvents returns it.
type Event struct {
	At         time.Time
	LogicalID  string // the stack's name for an event of the stack itself
	PhysicalID string // empty until it is known
	Type       string // AWS::CloudFormation::Stack for an event of the stack itself
	Status     string
	Reason     string
}

// String returns the event without its time and its physical ID.
func (e Event) String() string {
	text := e.LogicalID + " " + e.Status
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text
}

// uuid returns an identifier in the format of a UUID. They are unique, and the same in every run.
func (e *Engine) uuid() string {
	h := fmt.Sprintf("%x", e.draw())
	return h[:8] + "-" + h[8:12] + "-4" + h[12:15] + "-8" + h[15:18] + "-" + h[18:30]
}

// draw returns bytes that no other call returns.
func (e *Engine) draw() [sha256.Size]byte {
	e.drawn++
	return sha256.Sum256(fmt.Append(nil, e.drawn))
}

// suffix returns the end of a physical ID that CloudFormation invents.
func (e *Engine) suffix() string {
	sum := e.draw()
	return fmt.Sprintf("%X", sum[:6])
}
