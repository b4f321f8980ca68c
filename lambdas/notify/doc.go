// Package notify reports the events of a rollout to people and programs.
//
// A [Notifier] sends a [rollout.Notification] to the stack's topic, to the topics that
// the request names ([rollout.Notify]), and to an event bus. The adapters for Amazon
// SNS and EventBridge are in package channels, so that only the functions that notify
// link their clients.
//
// A notification may be delivered twice, because Lambda and EventBridge may call twice.
// Its ID is the same both times.
//
// The texts for people are written in words.go: [Subject], [Text] and [Chat]. They
// contain names and reasons that others may have written, so [rollout.Plain] and the
// chat's escaping make these harmless.
package notify
