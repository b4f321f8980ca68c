// Package asl runs Amazon States Language definitions on a virtual clock, so
// that a year of waiting takes only as long as its tasks take to answer.
//
// Parse reads a definition, Definition.Start starts an Execution of it on a
// Clock, and Clock.Run runs all executions on that clock to their ends:
//
//	clock := asl.NewClock(start)
//	definition, err := asl.Parse(text)
//	execution, err := definition.Start(asl.Options{Clock: clock, Invoke: invoke, Input: input})
//	err = clock.Run()
//	result := execution.Result()
//
// Options.Invoke does the work of Lambda functions, Options.StartExecution
// starts nested executions, and Options.OnEvent receives each event of the
// history, in the shape of GetExecutionHistory. ReadHistory reads the history of
// an execution on AWS. Whatever else a simulation does lives on the same clock, as
// actors: Clock.Go starts one, Clock.Sleep and Clock.Wait suspend it.
//
// The package supports the part of the language that this project uses
// (JSONPath; Task with Lambda functions and with nested executions, these also with
// Credentials; Choice, Wait,
// Pass, Succeed, Fail). Parse refuses everything else by name, so that what runs
// here means the same on AWS Step Functions.
//
// StateTest tests a single state, like Step Functions' TestState.
//
// What AWS was recorded doing, by LocalStack's tests, comes before what it documents;
// testdata/recorded has the facts. Where neither says what AWS does, the doc comment
// at that place says what was chosen.
package asl
