// Package asl runs Amazon States Language definitions on a virtual clock: a
// year of waiting takes as long as its tasks take to answer.
//
// It knows exactly the part of the language that this project uses (JSONPath;
// Task with Lambda functions and with nested executions, Choice, Wait, Pass,
// Succeed, Fail) and refuses the rest by name when a definition is parsed, so
// that what runs here means the same on AWS Step Functions.
//
//	clock := asl.NewClock(start)
//	definition, err := asl.Parse(text)
//	execution, err := definition.Start(asl.Options{Clock: clock, Invoke: invoke, Input: input})
//	err = clock.Run()
//	result := execution.Result()
//
// Where AWS's documentation and its recorded histories leave a choice, the doc
// comment at that place says what was chosen.
package asl
