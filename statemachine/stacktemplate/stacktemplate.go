// Package stacktemplate embeds the CloudFormation template of the stack, for a local
// AWS to have the stack as deployed without Node.js and within no time. The CDK app in
// infra makes the template; a test there holds this copy to it.
package stacktemplate

import _ "embed"

//go:embed template.json
var text string

// Name is the stack's name. The names of log groups, metrics and exports in the template
// contain it.
const Name = "LambdaRollout"

// Template returns the template, as JSON: that of the CDK app with every gate and with
// the contexts simple and stack, and with functions opted in by tag. It differs from
// what CDK deploys in one thing: the S3Key of a function's code is the name of its task
// with ".zip", as in UpdateAlias.zip, instead of a hash of the code. The caller may
// change the returned bytes.
func Template() []byte { return []byte(text) }
