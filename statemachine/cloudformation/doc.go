// Package cloudformation runs small CloudFormation stacks in virtual time, with functions and their versions in a local AWS
// and with custom resources whose providers are called as AWS calls them.
//
//	engine := cloudformation.New(cloudformation.Options{Server: local, Clock: clock, Invoke: invoke})
//	clock.Go(func() {
//		stack, _ := engine.Create("shop", before) // returns at once
//		stack.Wait()                              // for the end of the operation
//		_ = stack.Update(after)
//		stack.Wait()
//	})
//	err := clock.Run()
//
// [Options.Invoke] receives the events of custom resources. A provider answers with a PUT through an HTTP client whose
// transport is the engine. [Stack.Events] and [Engine.Answers] are the record; a stack's status can also be read from the
// local AWS with DescribeStacks.
//
// A [Template] has resources of the types AWS::Lambda::Function, AWS::Lambda::Version, Custom::…, wait conditions and their
// handles, and Local::Resource, which can be made to fail. Resources without dependencies between them are handled concurrently. What happens follows AWS's
// documentation and what users have observed:
//
//   - A resource that is created or updated when another one fails, or when the update is cancelled, is left alone: nobody
//     tells its provider. The opposite Update, or the Delete, arrives while the first request may still be handled.
//   - The rollback of an update sends the old properties as the new ones, to what was updated and to what failed.
//   - Deletions come last, in a clean-up whose failures are ignored. A custom resource without an ID of its own is deleted
//     under an invented one.
//
// Not documented, and assumed here: a rollback goes through resources in the order of their dependencies; an answer after a
// request's timeout or cancellation has no effect; an answer that does not match its request fails the resource.
package cloudformation
