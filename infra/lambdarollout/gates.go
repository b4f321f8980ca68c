package lambdarollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The gates that need additional permissions, and so have to be enabled in
// Props.Gates. Every rollout may use the others, which read CloudWatch: errors,
// latency, alarms, metrics.
const (
	// Probes invoke the new version directly, past the alias.
	Probes = "probes"
	// Checks are functions that report on the new version's health.
	Checks = "checks"
	// Hooks are functions that are called before the first traffic, or before the
	// promotion.
	Hooks = "hooks"
	// Endpoints are HTTPS URLs that are requested, with secrets in the headers if the
	// request asks for them.
	Endpoints = "endpoints"
	// ProvisionedConcurrency moves the baseline version's provisioned concurrency to
	// the new version.
	ProvisionedConcurrency = "provisioned-concurrency"
)

// The tag by which a function's owner lets rollouts invoke it as a check or a hook.
// It differs from the tag of the opt-in, because being rolled out is one thing, and
// being called by any rollout another.
const (
	CheckTagKey   = "lambda-rollout-check"
	CheckTagValue = "enabled"
)

// checkGates returns an error that names every unknown gate.
func checkGates(gates []string) error {
	known := []string{Checks, Endpoints, Hooks, Probes, ProvisionedConcurrency}
	var bad []string
	for _, gate := range gates {
		if slices.Contains(known, gate) {
			continue
		}
		hint := ""
		if near := nearest(gate, known); near != "" {
			hint = fmt.Sprintf(" (did you mean %q?)", near)
		}
		bad = append(bad, fmt.Sprintf("%q%s", gate, hint))
	}
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("not a gate to enable: %s. The gates to enable are %s; errors, latency, alarms and metrics are always enabled",
		strings.Join(bad, ", "), strings.Join(known, ", "))
}

// inOrder returns the names sorted and without duplicates.
func inOrder(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// gateStatements returns the permissions that the gates need beyond reading
// CloudWatch; nil without gates.
func gateStatements(w workflow, optIn OptIn, gates []string) []grant {
	var needed []grant
	if slices.Contains(gates, Probes) {
		needed = append(needed, optIn.onVersions(w.stack, "lambda:InvokeFunction"))
	}
	if slices.Contains(gates, Checks) || slices.Contains(gates, Hooks) {
		// This includes versions and aliases, whose ARNs begin alike.
		needed = append(needed, ifTagged(CheckTagKey, CheckTagValue,
			allow([]string{"lambda:InvokeFunction"}, arn(w.stack, "*"))))
	}
	if slices.Contains(gates, Endpoints) {
		// No kms:Decrypt: the keys that AWS manages for Secrets Manager and Parameter
		// Store do not need it. For a secret under a customer's key, the key's owner has
		// to grant its use to HealthCheck's role.
		needed = append(needed,
			ifTagged(TagKey, TagValue, allow([]string{"secretsmanager:GetSecretValue"},
				w.arnOf("secretsmanager", "secret", "*", awscdk.ArnFormat_COLON_RESOURCE_NAME))),
			ifTagged(TagKey, TagValue, allow([]string{"ssm:GetParameter"},
				w.arnOf("ssm", "parameter", "*", awscdk.ArnFormat_SLASH_RESOURCE_NAME))))
	}
	return needed
}

// ifTagged restricts a statement to resources with the tag.
func ifTagged(key, value string, statement grant) grant {
	statement.AddCondition(jsii.String("StringEquals"), map[string]any{"aws:ResourceTag/" + key: value})
	return statement.because("the statement's condition restricts it to resources whose owners have tagged them with " + key + "=" + value)
}

// nearest returns the known name that given is probably a misspelling of, or "". The
// edit distance, ignoring case, may be at most half of given's length.
func nearest(given string, known []string) string {
	best, least := "", len(given)/2+1
	for _, name := range known {
		if d := editDistance(strings.ToLower(given), name); d < least {
			best, least = name, d
		}
	}
	return best
}

// editDistance returns the Levenshtein distance: the fewest insertions, deletions
// and replacements of one byte that turn a into b.
func editDistance(a, b string) int {
	above := make([]int, len(b)+1) // the distances from a[:i] to each b[:j]
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			replaced := above[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, above[j+1]+1, row[j]+1)
		}
		above = row
	}
	return above[len(b)]
}
