// Package stack is the domain of the custom resource Custom::LambdaRollout, with which
// a rollout is declared in a CloudFormation template: what CloudFormation asks, what
// follows, and what it is answered. It knows no AWS and no clock.
//
//   - [Event] is a request of CloudFormation, [Properties] what the template says.
//   - [Record] is what is kept of a request until it is answered, and for a while after.
//   - [Record.Next] decides, from a record and the [Facts] that AWS has, what to do next.
//   - [Answer] is what CloudFormation is sent, and [Signal] what a wait condition is.
//
// Whoever calls Next gathers the facts, does what it says, and calls it again, until
// it says to wait or the request is answered. It decides from what AWS holds alone, so
// it can be called at any time, any number of times: by a second delivery of the
// same request, by an execution's end, or by a sweep.
package stack
