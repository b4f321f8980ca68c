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

// errCancelled is the error of a resource that is no longer waited for, and errNotBegun of one that is left as it is.
var (
	errCancelled = errors.New("cancelled")
	errNotBegun  = errors.New("not begun")
)

// create creates the stack, or rolls the creation back.
func (s *Stack) create(t Template) {
	if failed := s.apply(t); failed != "" {
		s.enter(types.StackStatusRollbackInProgress, failed)
		s.removeAll(types.StackStatusRollbackComplete, types.StackStatusRollbackFailed)
		return
	}
	s.enter(types.StackStatusCreateComplete, "")
}

// change updates the stack and cleans up, or rolls the update back.
func (s *Stack) change() {
	if failed := s.apply(s.update.template); failed != "" {
		s.enter(types.StackStatusUpdateRollbackInProgress, failed)
		s.update.garbage = map[string]*instance{}
		for id, i := range s.update.old {
			if !s.update.touched[id] {
				s.resources[id] = i
			}
		}
		s.rollBack()
		return
	}
	s.enter(types.StackStatusUpdateCompleteCleanupInProgress, "")
	s.cleanUp(s.update.template.Resources)
	s.enter(types.StackStatusUpdateComplete, "")
}

// apply creates and updates resources as a template wants them, until one fails or abort fires. It returns which failed, or "".
func (s *Stack) apply(t Template) (failed string) {
	failed = s.each(before(t.Resources), "create or update", func(id string) error {
		if s.abort.Fired() {
			return errNotBegun
		}
		err := s.want(id, t.Resources[id])
		if err != nil {
			s.abort.Fire()
		}
		return err
	})
	if failed == "" && s.abort.Fired() {
		failed = "Update cancelled by the user."
	}
	return failed
}

// want creates a resource, updates it, or leaves it as it is if its properties have not changed.
func (s *Stack) want(id string, r Resource) error {
	properties, err := r.resolve(s.resources)
	was := s.resources[id]
	switch {
	case was == nil:
		return s.add(id, r, properties, err)
	case err == nil && reflect.DeepEqual(was.properties, properties):
		s.resources[id] = &instance{r, properties, was.physicalID, was.attributes}
		return nil
	}
	return s.modify(id, r, properties, err)
}

// add creates a resource, unless its properties are invalid. A custom resource is there even if its creation fails.
func (s *Stack) add(id string, r Resource, properties map[string]any, invalid error) error {
	k, _ := kindOf(r.Type)
	i := &instance{resource: r, properties: properties}
	err := s.work("CREATE", id, i, func() (err error) {
		if invalid != nil {
			return invalid
		}
		i.physicalID, i.attributes, err = k.create(work{s, id, i, nil, s.abort})
		return err
	})
	if i.physicalID != "" {
		s.resources[id] = i
	}
	return err
}

// modify updates a resource, or creates one that replaces it, unless its properties are invalid.
func (s *Stack) modify(id string, r Resource, properties map[string]any, invalid error) error {
	k, _ := kindOf(r.Type)
	was := s.resources[id]
	i := &instance{r, properties, was.physicalID, was.attributes}
	err := s.work("UPDATE", id, i, func() error {
		run := k.update
		switch {
		case invalid != nil:
			return invalid
		case run == nil:
			run = k.create
		default:
			s.update.touched[id] = true
			s.resources[id] = i // what is rolled back, should it fail
		}
		physicalID, attributes, err := run(work{s, id, i, was, s.abort})
		if err == nil {
			i.physicalID, i.attributes = physicalID, attributes
		}
		return err
	})
	if err != nil {
		return err
	}
	s.update.touched[id] = true
	s.resources[id] = i
	if i.physicalID != was.physicalID {
		s.update.garbage[id] = was
	}
	return nil
}

// rollBack puts back the resources that the update has changed, and deletes those that it has created.
func (s *Stack) rollBack() {
	touched := map[string]Resource{}
	for id := range s.update.touched {
		touched[id] = s.update.old[id].resource
	}
	failed := s.each(before(touched), "update", func(id string) error {
		now, old := s.resources[id], s.update.old[id]
		k, _ := kindOf(old.resource.Type)
		back := *old
		if k.update != nil {
			back.physicalID = now.physicalID
			err := s.work("UPDATE", id, &back, func() (err error) {
				physicalID, attributes, err := k.update(work{s, id, &back, now, s.engine.clock.NewSignal()})
				if err == nil {
					back.physicalID, back.attributes = physicalID, attributes
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		if back.physicalID != now.physicalID {
			s.update.garbage[id] = now
		}
		s.resources[id] = &back
		delete(s.update.touched, id)
		return nil
	})
	if failed != "" {
		s.enter(types.StackStatusUpdateRollbackFailed, failed)
		return
	}
	s.enter(types.StackStatusUpdateRollbackCompleteCleanupInProgress, "")
	kept := map[string]Resource{}
	for id, i := range s.update.old {
		kept[id] = i.resource
	}
	s.cleanUp(kept)
	s.enter(types.StackStatusUpdateRollbackComplete, "")
}

// cleanUp deletes what was replaced, and the resources that are not among those to keep. What can't be deleted is abandoned.
func (s *Stack) cleanUp(kept map[string]Resource) {
	for id, i := range s.update.garbage {
		replaced := *i
		replaced.resource.DeletionPolicy = i.resource.UpdateReplacePolicy
		s.update.garbage[id] = &replaced
	}
	for id, i := range s.resources {
		if _, keep := kept[id]; !keep {
			s.update.garbage[id] = i
			delete(s.resources, id)
		}
	}
	s.delete(s.update.garbage)
}

// removeAll deletes all resources.
func (s *Stack) removeAll(done, failed types.StackStatus) {
	if left := s.delete(s.resources); left != "" {
		s.enter(failed, left)
		return
	}
	s.enter(done, "")
}

// delete deletes instances, those first on which others do not depend, and takes them out of the map. It returns which
// failed, or "".
func (s *Stack) delete(all map[string]*instance) (failed string) {
	resources, after := map[string]Resource{}, map[string][]string{}
	for id, i := range all {
		resources[id], after[id] = i.resource, nil
	}
	for id, others := range before(resources) {
		for _, other := range others {
			after[other] = append(after[other], id)
		}
	}
	return s.each(after, "delete", func(id string) error {
		i := all[id]
		if i.resource.DeletionPolicy == "Retain" {
			s.record(Event{LogicalID: id, PhysicalID: i.physicalID, Type: i.resource.Type, Status: "DELETE_SKIPPED"})
		} else if err := s.work("DELETE", id, i, func() error {
			k, _ := kindOf(i.resource.Type)
			return k.delete(work{s, id, i, nil, s.engine.clock.NewSignal()})
		}); err != nil {
			return err
		}
		delete(all, id)
		return nil
	})
}

// work records the events around something that is done with a resource.
func (s *Stack) work(verb, id string, i *instance, do func() error) error {
	e := Event{LogicalID: id, PhysicalID: i.physicalID, Type: i.resource.Type, Status: verb + "_IN_PROGRESS"}
	s.record(e)
	err := do()
	e.PhysicalID, e.Status = i.physicalID, verb+"_COMPLETE"
	if err != nil {
		e.Status, e.Reason = verb+"_FAILED", err.Error()
	}
	if errors.Is(err, errCancelled) {
		e.Reason = map[string]string{"CREATE": "Resource creation cancelled", "UPDATE": "Resource update cancelled"}[verb]
	}
	s.record(e)
	return err
}

// before returns, for each resource, those among them that it depends on, sorted.
func before(all map[string]Resource) map[string][]string {
	before := map[string][]string{}
	for id, r := range all {
		before[id] = slices.DeleteFunc(r.dependencies(), func(other string) bool { _, there := all[other]; return !there })
	}
	return before
}

// each calls do for resources, each in an actor of its own, once it has succeeded for those before it. It returns when all
// calls have returned, and says which failed, or "".
func (s *Stack) each(before map[string][]string, verb string, do func(id string) error) (failed string) {
	clock, done, succeeded, bad := s.engine.clock, map[string]*asl.Signal{}, map[string]bool{}, []string(nil)
	ids := slices.Sorted(maps.Keys(before))
	for _, id := range ids {
		done[id] = clock.NewSignal()
	}
	run := func(id string) {
		for _, other := range before[id] {
			clock.Wait(time.Time{}, done[other])
			if !succeeded[other] {
				return
			}
		}
		err := do(id)
		succeeded[id] = err == nil
		if err != nil && !errors.Is(err, errNotBegun) {
			bad = append(bad, id)
		}
	}
	for _, id := range ids {
		clock.Go(func() {
			run(id)
			done[id].Fire()
		})
	}
	for _, id := range ids {
		clock.Wait(time.Time{}, done[id])
	}
	if len(bad) == 0 {
		return ""
	}
	slices.Sort(bad)
	return fmt.Sprintf("The following resource(s) failed to %s: [%s].", verb, strings.Join(bad, ", "))
}
