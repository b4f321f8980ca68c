// Package localaws is a local AWS: a stateful [http.Handler] that real clients of the AWS SDK for Go v2 talk to, so that a
// rollout can be rehearsed on one machine, in virtual time, with exactly the code that is deployed.
//
// [New] returns a [Server], an empty account. Its Add methods, such as [Server.AddFunction], fill the account without a
// call; [Server.Config] configures clients:
//
//	local := localaws.New(localaws.Options{Now: clock.Now, Sleep: clock.Sleep})
//	functions := lambda.NewFromConfig(local.Config())
//
// The server speaks the services' own wire protocols, answers bad input with their own error codes, and stores what they
// store: functions with their code and tags, versions, weighted aliases with revisions, provisioned concurrency, metrics with
// their retention, alarms (whose states are set by hand), the latest log events, parameters with their history, secrets, the
// statuses of stacks, and the messages that topics and the event bus received. It runs neither stacks, which package
// cloudformation does, nor state machines: it reports executions that run elsewhere ([Executions]) and forwards requests to
// start and stop them ([Runner]) and to redrive them ([Redriver]). It refuses what it does not support by name, and never
// guesses.
//
// Clients reach it through [Server.Config] in their own goroutine, without a socket, or through any HTTP server that
// serves it (see [Server.ConfigAt]). Both transports give the same answers, and a cut connection looks the same.
//
// The server stores no policies. [Options.Authorize] decides on each call of a client that [Server.As] configured, given
// the permissions that the operation needs.
//
// Three features make it suitable for rehearsals:
//   - time: [Options] provides the clock; the server reads the real one only if none is given;
//   - faults: with [Server.Inject], any call can be throttled, fail, be slow, or lose its connection before or after its
//     effect;
//   - traffic: [Server.RecordInvocations] leaves the metrics of thousands of invocations at the cost of one.
//
// Clients that nobody here wrote use it too: the AWS CLI and the SDKs of other languages. For them, an operation or a service
// that is not there is refused in the protocol of the request, and [Options.FunctionUpdates] makes functions take their time.
// docs/local-aws.md lists the operations.
//
// Each service is a type that implements the service interface, in its own files: lambda*.go, cloudwatch*.go,
// stepfunctions*.go, logs*.go, ssm*.go, secretsmanager.go, sns.go, eventbridge.go, sts.go and cloudformation.go; unknown.go
// refuses what no service claims. To add a service, add such a type and one line in [New].
package localaws
