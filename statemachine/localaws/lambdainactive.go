package localaws

import (
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// MakeInactive makes a version Inactive ("" or "$LATEST": the unpublished one), as Lambda does with one that was idle for
// weeks. The first invocation of it fails and makes it Pending; it is Active again a time of takes later. It returns an
// error if there is no such version.
//
// Documented: the invocation fails, with ResourceNotReadyException if the function is in a VPC. Observed on AWS by others,
// not by this project: CodeArtifactUserPendingException, 40 to 106 s until the function is Active (boto3 issue 3788, July
// 2023; aws-solutions-library-samples' document processing, issue 801, September 2026).
func (s *Server) MakeInactive(functionName, number string, takes time.Duration) error {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	v, err := l.versionOf(functionName, number)
	if err != nil {
		return fmt.Errorf("make inactive: %w", err)
	}
	v.wakes = takes
	v.config.State, v.config.StateReason, v.config.StateReasonCode = types.StateInactive, aws.String("The function is idle."), types.StateReasonCodeIdle
	return nil
}

// Invokable reports whether a version would serve a request at an instant, and has the same effect as a request: a version
// that is Inactive becomes Pending. It is false if there is no such version. The instant may precede the time of earlier
// calls, but not the time at which the version became Inactive.
func (s *Server) Invokable(functionName, number string, at time.Time) bool {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.functions[functionName]
	if f == nil {
		return false
	}
	l.settle(f, at)
	v := f.version(number)
	return v != nil && !at.Before(v.active) && l.checkState(f, v, at) == nil
}

// checkState returns the error of a request to a version at an instant if the version does not serve any. A request to one
// that is Inactive makes it Pending. l.mu is held.
func (l *lambdaService) checkState(f *function, v *version, at time.Time) *apiError {
	switch v.config.State {
	case types.StatePending:
		return conflict(notNow + "The function is currently in the following state: Pending")
	case types.StateInactive:
		l.restore(f, v, at)
		return &apiError{http.StatusBadGateway, "ResourceNotReadyException", "The function is inactive and its VPC connection is no longer available. " +
			"Wait for the VPC connection to reestablish and try again."}
	}
	return nil
}

// restore begins to restore a version that is Inactive. l.mu is held.
func (l *lambdaService) restore(f *function, v *version, at time.Time) {
	v.due, v.next = at.Add(v.wakes), l.nextRevision()
	f.dueBy(v.due)
	v.config.State, v.config.StateReason, v.config.StateReasonCode = types.StatePending, aws.String("The function is being restored."), types.StateReasonCodeRestoring
}
