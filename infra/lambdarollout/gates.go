package lambdarollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The gates that need permissions of their own, and so are used only where
// Props.Gates has them. What CloudWatch knows (errors, latency, alarms, metrics)
// every rollout may ask for.
const (
	// Probes invoke the new version before it has traffic.
	Probes = "probes"
	// Checks are functions that say how the new version does.
	Checks = "checks"
	// Hooks are functions that run before the first traffic, and before the promotion.
	Hooks = "hooks"
	// Endpoints are HTTP addresses that are asked, with secrets in the headers if need be.
	Endpoints = "endpoints"
	// ProvisionedConcurrency moves that of the baseline version to the new one.
	ProvisionedConcurrency = "provisioned-concurrency"
)

// The tag by which the owner of a function lets rollouts invoke it as a check or
// a hook. It is not the tag of the opt-in: to be rolled out is one thing, to be
// called by anybody's rollout another.
const (
	CheckTagKey   = "lambda-rollout-check"
	CheckTagValue = "enabled"
)

// checkGates returns an error that names every gate that is not known.
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
	return fmt.Errorf("no gate that can be allowed: %s. There are %s; errors, latency, alarms and metrics are always allowed",
		strings.Join(bad, ", "), strings.Join(known, ", "))
}

// inOrder returns names sorted, each once.
func inOrder(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// gateStatements are what the gates need beyond reading CloudWatch; none
// without gates.
func gateStatements(w workflow, optIn OptIn, gates []string) []grant {
	var needed []grant
	if slices.Contains(gates, Probes) {
		needed = append(needed, optIn.onVersions(w.stack, "lambda:InvokeFunction"))
	}
	if slices.Contains(gates, Checks) || slices.Contains(gates, Hooks) {
		// Their versions and aliases too: the ARNs of these begin alike.
		needed = append(needed, ifTagged(CheckTagKey, CheckTagValue,
			allow([]string{"lambda:InvokeFunction"}, arn(w.stack, "*"))))
	}
	if slices.Contains(gates, Endpoints) {
		// No kms:Decrypt: the keys that AWS manages for Secrets Manager and for
		// Parameter Store need none. A secret under a customer's own key needs a
		// grant of that key to HealthCheck's role, for its owner to give.
		needed = append(needed,
			ifTagged(TagKey, TagValue, allow([]string{"secretsmanager:GetSecretValue"},
				w.arnOf("secretsmanager", "secret", "*", awscdk.ArnFormat_COLON_RESOURCE_NAME))),
			ifTagged(TagKey, TagValue, allow([]string{"ssm:GetParameter"},
				w.arnOf("ssm", "parameter", "*", awscdk.ArnFormat_SLASH_RESOURCE_NAME))))
	}
	return needed
}

// ifTagged narrows a statement to resources with the tag.
func ifTagged(key, value string, statement grant) grant {
	statement.AddCondition(jsii.String("StringEquals"), map[string]any{"aws:ResourceTag/" + key: value})
	return statement.because("of all there are, those whose owners have tagged them with " + key + "=" + value + ": the statement's condition")
}

// nearest returns the known name that a person probably meant by given, or "":
// the edit distance, not counting case, may be half of given's length.
func nearest(given string, known []string) string {
	best, least := "", len(given)/2+1
	for _, name := range known {
		if d := editDistance(strings.ToLower(given), name); d < least {
			best, least = name, d
		}
	}
	return best
}

// editDistance is Levenshtein's: the fewest insertions, deletions and
// replacements of one byte that turn a into b.
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
