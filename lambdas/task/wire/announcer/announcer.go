// Package announcer makes what tells of a rollout, over real clients of AWS, for
// the functions that tell.
package announcer

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify/channels"
	"github.com/lambda-rollout/lambda-rollout/lambdas/task"
)

// NewNotifier tells the stack's topic and the account's default event bus.
func NewNotifier(cfg aws.Config) notify.Notifier {
	return notify.Notifier{
		Topics: channels.NewSNS(sns.NewFromConfig(cfg)),
		Topic:  task.OwnTopic(),
		// A refused request may name any topic.
		OwnOnly: len(task.AllowedTopics()) == 0,
		Bus:     channels.NewEventBridge(eventbridge.NewFromConfig(cfg), "default"),
	}
}

// New tells of a rollout under way.
func New(cfg aws.Config) task.Announcer {
	return task.Announcer{Notifier: NewNotifier(cfg), Log: task.Logger()}
}
