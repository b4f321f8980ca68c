package localaws

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// How AWS allocates provisioned concurrency, and what it does to an alias meanwhile.
//
// Observed on AWS by others, not by this project: when an alias with provisioned concurrency is pointed at another version,
// Lambda itself writes the routing config {"<the previous version>": 1} on it until the new version's is allocated
// (terraform-provider-aws pull request 48116, in acceptance tests, May 2026). If the new version can't be initialized, the
// allocation ends as FAILED and these weights stay until they are cleared with update-alias --routing-config '{}'
// (gradientedge/cdk-utils pull request 1110, June 2026). Documented: an allocation takes a minute or two, and is usable
// only when it is complete.
//
// Not known: whether the answer of UpdateAlias already has these weights, whether they change the RevisionId, what
// UpdateAlias may do while an allocation is IN_PROGRESS, what happens to the weights if the alias is pointed back meanwhile
// or its provisioned concurrency is deleted, and whether an alias with provisioned concurrency may be pointed at a version
// that has its own. In each case the local AWS does what is harder for its callers: the answer shows the requested state,
// each change has its own RevisionId, pointing back is a move like any other, deleting leaves the weights, and the last is
// refused.

// Allocating describes how the account allocates provisioned concurrency. With the zero value it is ready at once.
type Allocating struct {
	// Takes is how long an allocation stays IN_PROGRESS.
	Takes time.Duration
	// Locks makes UpdateAlias fail while the alias's allocation is IN_PROGRESS. Whether AWS does that is not known.
	Locks bool
}

// SetAllocating sets how provisioned concurrency is allocated from now on.
func (s *Server) SetAllocating(a Allocating) {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	s.lambda.allocates = a
}

// FailAllocations makes every allocation for a version that ends from now on end as FAILED with that StatusReason, as if
// the version's initialization failed. An empty reason ends that. It returns an error if there is no such version.
func (s *Server) FailAllocations(functionName, version, reason string) error {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.versionOf(functionName, version); err != nil {
		return err
	}
	f := l.functions[functionName]
	if f.failing[version] = reason; reason == "" {
		delete(f.failing, version)
	}
	return nil
}

// AddProvisioned adds provisioned concurrency, which is ready, to a version or an alias, without a call.
func (s *Server) AddProvisioned(functionName, qualifier string, executions int32) error {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.functions[functionName]
	if f == nil {
		return fmt.Errorf("add provisioned concurrency: no function %q", functionName)
	}
	version := qualifier
	if a, ok := f.aliases[qualifier]; ok {
		version = a.Version
	}
	if _, err := l.versionOf(functionName, version); err != nil || version == latest || executions < 1 {
		return fmt.Errorf("add provisioned concurrency: %d for %q of function %q: %w", executions, qualifier, functionName, err)
	}
	if err := f.checkProvisioned(qualifier); err != nil {
		return fmt.Errorf("add provisioned concurrency: %s", err.message)
	}
	p := l.allocation(executions, version)
	p.status = types.ProvisionedConcurrencyStatusEnumReady
	f.provisioned[qualifier] = p
	return nil
}

// Provisioned returns the requested provisioned concurrency of each version and alias of a function, ready or not.
func (s *Server) Provisioned(functionName string) map[string]int32 {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	all := map[string]int32{}
	if f := s.lambda.functions[functionName]; f != nil {
		for qualifier, p := range f.provisioned {
			all[qualifier] = p.executions
		}
	}
	return all
}

// nextAllocation returns when the next allocation that is IN_PROGRESS ends after an instant; zero if there is none. l.mu is
// held.
func (f *function) nextAllocation(after time.Time) time.Time {
	var next time.Time
	for _, p := range f.provisioned {
		if p.status == types.ProvisionedConcurrencyStatusEnumInProgress && p.due.After(after) && (next.IsZero() || p.due.Before(next)) {
			next = p.due
		}
	}
	return next
}

// allocation returns an allocation that begins now. l.mu is held.
func (l *lambdaService) allocation(executions int32, version string) provisioned {
	now := l.now()
	return provisioned{executions: executions, modified: now, version: version,
		status: types.ProvisionedConcurrencyStatusEnumInProgress, due: now.Add(l.allocates.Takes)}
}

// checkMove returns an error if provisioned concurrency forbids a change of an alias. l.mu is held.
func (l *lambdaService) checkMove(f *function, was, to Alias) *apiError {
	p, ok := f.provisioned[was.Name]
	switch {
	case !ok:
		return nil
	case l.allocates.Locks && p.status == types.ProvisionedConcurrencyStatusEnumInProgress:
		return conflict(notNow + "An update is in progress for resource: " + l.arn(functionRef{was.Function, was.Name}))
	case was.Version == to.Version:
		return nil
	case to.Version == latest:
		return invalidParameter("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	if _, own := f.provisioned[to.Version]; own {
		return conflict("Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
	}
	return nil
}

// moveProvisioned begins to allocate an alias's provisioned concurrency for the version that it now points at, and keeps
// its requests on the previous version until that is done. l.mu is held.
func (l *lambdaService) moveProvisioned(f *function, was, to Alias) {
	p, ok := f.provisioned[to.Name]
	if !ok || was.Version == to.Version {
		return
	}
	p = l.allocation(p.executions, to.Version)
	p.holds, p.next = was.Version, l.nextRevision()
	f.provisioned[to.Name] = p
	to.Additional, to.Weight, to.RevisionID = was.Version, 1, l.nextRevision()
	l.setAlias(f, to, l.now())
}

// settle ends the updates and allocations that are due at now. l.mu is held.
func (l *lambdaService) settle(f *function, now time.Time) {
	l.settleState(f, now)
	var over []string
	for qualifier, p := range f.provisioned {
		if p.status == types.ProvisionedConcurrencyStatusEnumInProgress && !p.due.After(now) {
			over = append(over, qualifier)
		}
	}
	slices.SortFunc(over, func(a, b string) int {
		return f.provisioned[a].due.Compare(f.provisioned[b].due)*2 + strings.Compare(a, b)
	})
	for _, qualifier := range over {
		p := f.provisioned[qualifier]
		holds := p.holds
		p.status, p.holds = types.ProvisionedConcurrencyStatusEnumReady, ""
		if p.failure = f.failing[p.version]; p.failure != "" {
			p.status, holds = types.ProvisionedConcurrencyStatusEnumFailed, "" // and the weights stay
		}
		f.provisioned[qualifier] = p
		if a := f.aliases[qualifier]; holds != "" && a.Version == p.version && a.Additional == holds && a.Weight == 1 {
			a.Additional, a.Weight, a.RevisionID = "", 0, p.next
			l.setAlias(f, a, p.due)
		}
	}
}
