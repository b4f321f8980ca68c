// Package iam evaluates AWS IAM policies as AWS does, and reads those of a synthesized CloudFormation template: so that
// it can be tried on one machine whether a role may do what its function does, and whether it does all that it may.
//
// It knows the part of the policy language that identity-based policies of functions use. What it does not know, be it
// an operator, a policy variable, an intrinsic function, or a condition key of which a request says nothing, is an error
// that names it. It never takes such a thing for allowed or for refused.
//
// The rules are those of the IAM User Guide: "Policy evaluation logic" and "IAM JSON policy elements".
package iam
