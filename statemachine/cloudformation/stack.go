package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Stack is a stack of an engine.
type Stack struct {
	engine    *Engine
	name, id  string
	status    types.StackStatus
	events    []Event
	resources map[string]*instance // those that are there, by logical ID
	update    change               // the last one
	ended     *asl.Signal          // fires at the end of the operation under way
	abort     *asl.Signal          // fires when the creations and updates under way are no longer waited for

	requestIDs map[string]string // of the operation under way, by logical ID
}

// instance is a resource that is there.
type instance struct {
	resource   Resource
	properties map[string]any // without references
	physicalID string
	attributes map[string]any
}

// change is what the update of a stack has changed.
type change struct {
	template Template
	old      map[string]*instance // as they were before
	touched  map[string]bool      // the resources whose update has begun, until they are back
	garbage  map[string]*instance // those that others have replaced
}

// ID returns the stack's ID, an ARN.
func (s *Stack) ID() string { return s.id }

// Status returns the stack's status.
func (s *Stack) Status() types.StackStatus { return s.status }

// Events returns the events of the stack and its resources, the oldest first.
func (s *Stack) Events() []Event { return slices.Clone(s.events) }

// PhysicalID returns the physical ID of a resource; empty if it is not there.
func (s *Stack) PhysicalID(logicalID string) string {
	if i := s.resources[logicalID]; i != nil {
		return i.physicalID
	}
	return ""
}

// Attribute returns an attribute of a resource; empty if there is none.
func (s *Stack) Attribute(logicalID, name string) string {
	if i := s.resources[logicalID]; i != nil && i.attributes[name] != nil {
		return fmt.Sprint(i.attributes[name])
	}
	return ""
}

// Wait waits until no operation is under way. Only actors may call it.
func (s *Stack) Wait() {
	for strings.HasSuffix(string(s.status), "_IN_PROGRESS") {
		s.engine.clock.Wait(time.Time{}, s.ended)
	}
}

// Update starts to update the stack and returns at once. It returns an error if the stack's status does not allow it, or if
// the template changes nothing.
func (s *Stack) Update(t Template) error {
	t, err := t.checked()
	if err != nil {
		return err
	}
	err = s.allow("updated", types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusUpdateRollbackComplete)
	if err != nil {
		return err
	}
	same := len(t.Resources) == len(s.resources)
	for id, i := range s.resources {
		r, ok := t.Resources[id]
		same = same && reflect.DeepEqual(r, i.resource)
		if ok && r.Type != i.resource.Type {
			return fmt.Errorf("the type of resource %s can't be changed", id)
		}
	}
	if same {
		return errors.New("no updates are to be performed")
	}
	s.update = change{template: t, old: maps.Clone(s.resources), touched: map[string]bool{}, garbage: map[string]*instance{}}
	s.begin(types.StackStatusUpdateInProgress, "User Initiated", s.change)
	return nil
}

// CancelUpdate has the update under way rolled back. It returns an error if there is none, or if it is already rolled back or
// cleaned up after.
func (s *Stack) CancelUpdate() error {
	if err := s.allow("cancelled", types.StackStatusUpdateInProgress); err != nil {
		return err
	}
	s.abort.Fire()
	return nil
}

// ContinueRollback continues a rollback that has failed, with the resources that could not be rolled back.
func (s *Stack) ContinueRollback() error {
	if err := s.allow("rolled back further", types.StackStatusUpdateRollbackFailed); err != nil {
		return err
	}
	s.begin(types.StackStatusUpdateRollbackInProgress, "User Initiated", s.rollBack)
	return nil
}

// Delete starts to delete the stack and returns at once.
func (s *Stack) Delete() error {
	if strings.HasSuffix(string(s.status), "_IN_PROGRESS") || s.status == types.StackStatusDeleteComplete {
		return s.allow("deleted")
	}
	s.begin(types.StackStatusDeleteInProgress, "User Initiated", func() {
		s.removeAll(types.StackStatusDeleteComplete, types.StackStatusDeleteFailed)
	})
	return nil
}

// allow returns an error unless the stack has one of the statuses.
func (s *Stack) allow(done string, statuses ...types.StackStatus) error {
	if slices.Contains(statuses, s.status) {
		return nil
	}
	return fmt.Errorf("the stack %s is in the state %s and can't be %s", s.name, s.status, done)
}

// begin starts an operation, which runs in an actor.
func (s *Stack) begin(status types.StackStatus, reason string, run func()) {
	s.ended, s.abort, s.requestIDs = s.engine.clock.NewSignal(), s.engine.clock.NewSignal(), map[string]string{}
	s.enter(status, reason)
	ended := s.ended
	s.engine.clock.Go(func() {
		run()
		ended.Fire()
	})
}

// enter sets the stack's status.
func (s *Stack) enter(status types.StackStatus, reason string) {
	s.status = status
	if err := s.engine.options.Server.SetStackStatus(s.id, status, reason); err != nil {
		panic(err) // the stack was added, and the status is one of the SDK's
	}
	s.record(Event{LogicalID: s.name, PhysicalID: s.id, Type: "AWS::CloudFormation::Stack", Status: string(status), Reason: reason})
}

// record adds an event that happens now.
func (s *Stack) record(e Event) {
	e.At = s.engine.clock.Now()
	s.events = append(s.events, e)
	if s.engine.options.OnEvent != nil {
		s.engine.options.OnEvent(e)
	}
}
