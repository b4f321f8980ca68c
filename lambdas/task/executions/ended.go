package executions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/awserror"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// deepPages limits how many pages of older executions one call of EndedBadly reads
// of each status, besides the first: Step Functions lists the executions of 90 days,
// which are 90 pages at a thousand executions a day.
const deepPages = 2

// deep is where the next call continues among the older executions.
type deep struct {
	mutex sync.Mutex
	next  map[types.ExecutionStatus]*string
}

// at returns the token of the next page; nil to begin again.
func (d *deep) at(status types.ExecutionStatus) *string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.next[status]
}

// resumeAt sets the token of the next page.
func (d *deep) resumeAt(status types.ExecutionStatus, next *string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.next[status] = next
}

// EndedBadly lists the executions that were stopped, timed out or failed at or after
// since. Step Functions orders them by their start, and one that ended just now may
// have started long ago: so each call reads the newest page and some of the older
// ones, continuing from call to call.
func (f StepFunctions) EndedBadly(ctx context.Context, machine string, since time.Time) ([]task.Ended, error) {
	seen := map[task.Ended]bool{}
	var all []task.Ended
	for _, status := range []types.ExecutionStatus{types.ExecutionStatusAborted, types.ExecutionStatusTimedOut, types.ExecutionStatusFailed} {
		read := func(token *string) (*string, error) {
			page, err := f.api.ListExecutions(ctx, &sfn.ListExecutionsInput{
				StateMachineArn: &machine, StatusFilter: status, MaxResults: 1000, NextToken: token,
			})
			if err == nil && page.Executions == nil {
				err = awserror.Hollow(nil)
			}
			if err != nil {
				return nil, fmt.Errorf("listing the executions of %s: %w", machine, awserror.Plain(err))
			}
			for _, execution := range page.Executions {
				ended := task.Ended{ARN: aws.ToString(execution.ExecutionArn), At: aws.ToTime(execution.StopDate).UTC()}
				if !ended.At.Before(since) && !seen[ended] {
					seen[ended] = true
					all = append(all, ended)
				}
			}
			return page.NextToken, nil
		}
		if err := f.readPages(status, read); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readPages reads the first page, and some of the others from where the last call
// ended.
func (f StepFunctions) readPages(status types.ExecutionStatus, read func(*string) (*string, error)) error {
	second, err := read(nil)
	if err != nil {
		return err
	}
	next := f.deep.at(status)
	if next == nil {
		next = second
	}
	for range deepPages {
		if next == nil {
			break
		}
		token := next
		next, err = read(token)
		var stale *types.InvalidToken
		if errors.As(err, &stale) { // tokens last for a day
			next = nil
		} else if err != nil {
			return err
		}
	}
	f.deep.resumeAt(status, next)
	return nil
}
