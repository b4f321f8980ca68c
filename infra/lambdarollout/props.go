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

// Props are what a LambdaRollout can be told. The zero value is complete.
type Props struct {
	// OptIn says which functions' aliases may be moved: by default, those
	// whose owners have tagged them.
	OptIn OptIn
	// Gates are what rollouts may use beyond CloudWatch and the alias: Probes,
	// Checks, Hooks, Endpoints and ProvisionedConcurrency, in any order. A request that asks for any
	// other is refused, and no role has anything that only the others need.
	Gates []string
	// Topic is told of every rollout, in place of a topic of the construct's own.
	// If it is encrypted under a key that is not EncryptionKey, the key's owner
	// has to let the functions use it.
	Topic awssns.ITopic
	// Topics are ARNs of standard SNS topics that requests may name to be told
	// there, beside the topic which is told of every rollout.
	Topics []string
	// SimpleDeploy adds the function that does a whole rollout by itself.
	SimpleDeploy bool
	// AlarmActions are what every alarm does when it goes off: by default, nothing.
	AlarmActions []awscloudwatch.IAlarmAction
	// LogRetention is how long logs are kept: by default, for a year. They are the
	// record of who moved which alias when, and Step Functions keeps an
	// execution's history for 90 days only.
	LogRetention awslogs.RetentionDays
	// LogRemovalPolicy is what becomes of the logs when the stack is deleted: by
	// default, RETAIN_ON_UPDATE_OR_DELETE. They are that record, and those of the
	// functions have the reasons; but what a deployment has made that fails goes with
	// it, as the machine's group has a fixed name, which the next one would find taken.
	LogRemovalPolicy awscdk.RemovalPolicy
	// EncryptionKey encrypts the logs, the construct's own topic and the queue: by
	// default, keys do that which AWS owns or manages. A key that the app defines
	// gets the policy that it needs; docs/construct.md has what the policy of one
	// has to allow that is imported.
	EncryptionKey awskms.IKey
	// PermissionsBoundary bounds every role of the construct.
	PermissionsBoundary awsiam.IManagedPolicy
	// ReservedConcurrency is how much of the account's concurrency is kept for the
	// Rollback function, so that it runs though a new version eats up all the rest:
	// by default, 10. It is as much as the function gets; what comes beside is
	// tried again. 0 reserves none, for accounts that can't: 100 have to stay
	// unreserved, and a new account may have 10 in all.
	ReservedConcurrency *float64
}

// defaultReservedConcurrency lets ten aliases be put back at once. Each takes a
// second or two, and the workflow tries a call again that was throttled.
const defaultReservedConcurrency = 10

// Validate returns an error that names all that is wrong with the gates, the
// topics and the reserved concurrency.
func (p *Props) Validate() error {
	return errors.Join(checkGates(p.Gates), checkTopics(p.Topics), checkReserved(p.ReservedConcurrency))
}

func checkReserved(reserved *float64) error {
	if reserved == nil || *reserved >= 0 && *reserved == math.Trunc(*reserved) && !math.IsInf(*reserved, 0) {
		return nil
	}
	return fmt.Errorf("a reserved concurrency of %v: give a whole number, or 0 to reserve none", *reserved)
}

// reserved returns what is reserved for a function, nil for nothing.
func (p *Props) reserved(function string) *float64 {
	switch {
	case function != rollbackTask:
		return nil
	case p.ReservedConcurrency == nil:
		return jsii.Number(defaultReservedConcurrency)
	case *p.ReservedConcurrency == 0: // which to Lambda is never to run
		return nil
	}
	return p.ReservedConcurrency
}

// logGroup are the props of a log group, by a name or, if that is nil, by one
// that CloudFormation chooses. CloudWatch Logs encrypts every group: with
// EncryptionKey or, without it, with a key that AWS owns.
func (p *Props) logGroup(name *string) *awslogs.LogGroupProps {
	return &awslogs.LogGroupProps{
		LogGroupName:  name,
		Retention:     cmp.Or(p.LogRetention, awslogs.RetentionDays_ONE_YEAR),
		EncryptionKey: p.EncryptionKey,
		RemovalPolicy: cmp.Or(p.LogRemovalPolicy, awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE),
	}
}
