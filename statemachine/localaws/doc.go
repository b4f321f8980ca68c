// Package localaws is a local AWS: an [http.Handler] with state that real AWS SDK for Go v2 clients talk to, so that a
// rollout can be rehearsed on one machine, in virtual time, with the very code that is deployed.
//
// It speaks the services' own wire protocols, answers bad input with their own error codes, and keeps what they keep:
// functions, versions, weighted aliases with revisions, provisioned concurrency, metrics with their retention, alarms
// (whose states are set by hand), parameters with their history, secrets, and what topics and event buses were told.
// Executions of state machines it does not run: it reports those that run elsewhere ([Executions]), and passes on that
// one is to be redriven ([Redriver]). What it does not know it refuses by name; it never guesses.
//
//	clock := …
//	local := localaws.New(localaws.Options{Now: clock.Now, Sleep: clock.Sleep})
//	functions := lambda.NewFromConfig(local.Config())
//
// Clients reach it through [Server.Config] in the same goroutine, without a socket, or through any HTTP server that
// serves it (see [Server.ConfigAt]). Both ways see the same answers, and a connection cut looks the same.
//
// It keeps no policies: who may do what is for [Options.Authorize] to say, which is asked for each call that a client of
// [Server.As] makes, with the permissions that the operation takes.
//
// Three things make it a place for rehearsals:
//   - time is given ([Options]): nothing here reads a clock of its own unless none was given;
//   - faults ([Server.Inject]): any call can be throttled, fail, be slow, or lose its connection before or after its effect;
//   - traffic ([Server.RecordInvocations]): thousands of invocations leave the metrics they would have left, at the cost of one.
//
// Each service is one type with the methods of the service interface, in files of its own: lambda*.go, cloudwatch*.go,
// stepfunctions*.go, ssm.go, secretsmanager.go, sns.go and eventbridge.go. Another service is another such type and one
// line in [New].
package localaws
