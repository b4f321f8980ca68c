package lambdarollout

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"
)

// Props are the settings of a LambdaRollout. The zero value has working defaults.
type Props struct {
	// OptIn selects the functions whose aliases may be moved: by default, those that
	// are tagged.
	OptIn OptIn
	// Gates enables gates beyond CloudWatch: any of Probes, Checks, Hooks, Endpoints
	// and ProvisionedConcurrency, in any order. A request that uses one that is not
	// enabled is refused, and no role has permissions for it.
	Gates []string
	// Topic receives the notifications of every rollout, instead of the construct's
	// own topic. If a key other than EncryptionKey encrypts it, the key's owner has to
	// let the functions use it.
	Topic awssns.ITopic
	// Topics are ARNs of standard SNS topics that requests may name for additional
	// notifications.
	Topics []string
	// SimpleDeploy adds the function that performs a whole rollout by itself.
	SimpleDeploy bool
	// StackRollouts adds the function StackRollout, with which CloudFormation templates
	// declare rollouts: see NewRollout.
	StackRollouts bool
	// AlarmActions are the actions of every alarm when it goes off: by default, none.
	AlarmActions []awscloudwatch.IAlarmAction
	// LogRetention is how long logs are kept: by default, for a year. They record who
	// moved which alias when; Step Functions keeps histories for only 90 days.
	LogRetention awslogs.RetentionDays
	// LogRemovalPolicy decides whether logs are kept when the stack is deleted: by
	// default, RETAIN_ON_UPDATE_OR_DELETE, because of that record. Log groups that a
	// failed first deployment created are deleted all the same: the machine's has a
	// fixed name, which would make the next deployment fail.
	LogRemovalPolicy awscdk.RemovalPolicy
	// EncryptionKey encrypts the logs, the construct's own topic and the queues: by
	// default, they are under keys that AWS owns or manages. A key that the app defines
	// gets the policy that it needs; docs/construct.md says what the policy of an
	// imported one has to allow.
	EncryptionKey awskms.IKey
	// PermissionsBoundary is the permissions boundary of every role.
	PermissionsBoundary awsiam.IManagedPolicy
	// ReservedConcurrency is the reserved concurrency of the Rollback function, so that
	// it runs even if a new version uses up all the rest: by default, 10. It is also
	// the function's limit; calls beyond it are retried. 0 reserves none, for accounts
	// that can't: Lambda requires that 100 stay unreserved, and a new account may have
	// only 10 in all.
	ReservedConcurrency *float64
}

// defaultReservedConcurrency lets ten aliases be put back at once. Each takes a second
// or two, and the workflow retries calls that were throttled.
const defaultReservedConcurrency = 10

// Validate returns an error that lists all problems of Gates, Topics and
// ReservedConcurrency; nil if there are none.
func (p *Props) Validate() error {
	return errors.Join(checkGates(p.Gates), checkTopics(p.Topics), checkReserved(p.ReservedConcurrency))
}

func checkReserved(reserved *float64) error {
	if reserved == nil || *reserved >= 0 && *reserved == math.Trunc(*reserved) && !math.IsInf(*reserved, 0) {
		return nil
	}
	return fmt.Errorf("a reserved concurrency of %v: give a whole number, or 0 to reserve none", *reserved)
}

// reserved returns a function's reserved concurrency; nil for none.
func (p *Props) reserved(function string) *float64 {
	switch {
	case function != rollbackTask:
		return nil
	case p.ReservedConcurrency == nil:
		return jsii.Number(defaultReservedConcurrency)
	case *p.ReservedConcurrency == 0: // which Lambda would take as: never run
		return nil
	}
	return p.ReservedConcurrency
}

// logGroup returns the props of a log group. If name is nil, CloudFormation chooses
// one. CloudWatch Logs encrypts every group: with EncryptionKey or, without it, with a
// key that AWS owns.
func (p *Props) logGroup(name *string) *awslogs.LogGroupProps {
	return &awslogs.LogGroupProps{
		LogGroupName:  name,
		Retention:     cmp.Or(p.LogRetention, awslogs.RetentionDays_ONE_YEAR),
		EncryptionKey: p.EncryptionKey,
		RemovalPolicy: cmp.Or(p.LogRemovalPolicy, awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE),
	}
}
