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

// deepPages is how many pages of older executions one call of EndedBadly reads
// of each status, beside the first: Step Functions lists all that it has kept for
// 90 days, and at a thousand a day that is 90 pages.
const deepPages = 2

// deep is where the next call goes on among the older executions.
type deep struct {
	mutex sync.Mutex
	next  map[types.ExecutionStatus]*string
}

func (d *deep) at(status types.ExecutionStatus) *string {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.next[status]
}

func (d *deep) goOn(status types.ExecutionStatus, next *string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.next[status] = next
}

// EndedBadly lists executions of each bad status. Step Functions orders them by
// their start, and one that ended just now may have started long ago: so beside
// the newest each call reads some of the older ones, page after page.
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

// readPages reads the first page, and some of the others from where the last
// call ended.
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
	f.deep.goOn(status, next)
	return nil
}
