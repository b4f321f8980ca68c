// Package iam evaluates AWS IAM policies as AWS does, and reads the policies of a synthesized CloudFormation template. A
// rehearsal uses it to check, without AWS, that a function's role allows every call that the function makes, and that
// the function needs every permission that its role grants.
//
// [ParseTemplate] reads a template, [Template.RoleOf] returns the role of one of its resources, and
// [Policies.Evaluate] decides on a [Request]:
//
//	template, err := iam.ParseTemplate(data, iam.Place{Region: "eu-central-1", Account: "123456789012", Stack: "Rollouts"})
//	role, err := template.RoleOf(id, "Role")
//	decision, err := role.Policies.Evaluate(iam.Request{Action: "lambda:GetAlias", Resource: arn})
//
// The package supports the part of the policy language that identity-based policies of functions use. Anything else is an
// error that names it: an operator, a policy variable, an intrinsic function, or a condition key about which a request
// says nothing. It is never treated as allowed or as denied.
//
// The rules are those of the IAM User Guide: "Policy evaluation logic" and "IAM JSON policy elements".
package iam
