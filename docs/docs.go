// Package docs embeds those files of the documentation that programs read.
package docs

import _ "embed"

// RolloutSchema is the JSON Schema of a rollout's input.
//
//go:embed rollout.schema.json
var RolloutSchema []byte

// ReleaseSchema is the JSON Schema of a release's input.
//
//go:embed release.schema.json
var ReleaseSchema []byte
