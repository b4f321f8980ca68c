package lambdarollout

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// grant is a statement of a role's policy.
type grant struct {
	awsiam.PolicyStatement
	why string // the reason for a wildcard in its resources; empty without one
}

// allow returns a grant of the actions on the resources.
func allow(actions []string, resources ...*string) grant {
	return grant{PolicyStatement: awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &resources,
	})}
}

// because returns the grant with the reason for its wildcard.
func (g grant) because(why string) grant {
	g.why = why
	return g
}

// newRole adds a role that the principal may assume, with inline policies by name.
func newRole(scope constructs.Construct, id, description string, principal awsiam.IPrincipal, policies map[string][]grant) awsiam.Role {
	documents := map[string]awsiam.PolicyDocument{}
	for name, grants := range policies {
		statements := make([]awsiam.PolicyStatement, 0, len(grants))
		for _, grant := range grants {
			statements = append(statements, grant.PolicyStatement)
		}
		documents[name] = awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
	}
	role := awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		Description:    jsii.String(description),
		AssumedBy:      principal,
		InlinePolicies: &documents,
	})
	excuse(role, suppressions(policies)...)
	return role
}

// suppression tells cdk-nag, in a resource's metadata, that a finding is accepted,
// and why. Readers of the template see the reason too.
type suppression struct {
	ID     string              `json:"id"`
	Reason string              `json:"reason"`
	Only   []map[string]string `json:"applies_to,omitempty"`
}

// excuse adds the suppressions to the metadata of a construct's resource.
func excuse(construct constructs.IConstruct, suppressions ...suppression) {
	if len(suppressions) > 0 {
		construct.Node().DefaultChild().(awscdk.CfnResource).AddMetadata(jsii.String("cdk_nag"), map[string]any{"rules_to_suppress": suppressions})
	}
}

// suppressions returns the suppressions for the wildcards in the policies' grants,
// each restricted to the resources of its own grant.
func suppressions(policies map[string][]grant) []suppression {
	var all []suppression
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		for _, grant := range policies[name] {
			if grant.why != "" {
				all = append(all, wildcard(grant.why, *grant.Resources()...))
			}
		}
	}
	return all
}

var token = regexp.MustCompile(`\\\$\\\{Token\\\[[^]]*\]\\\}`)

// wildcard returns the suppression of the finding that resources have a wildcard.
func wildcard(why string, resources ...*string) suppression {
	s := suppression{ID: "AwsSolutions-IAM5", Reason: why}
	for _, resource := range resources {
		if strings.Contains(*resource, "*") {
			// cdk-nag sees <AWS::Region> and the like in place of CDK's tokens.
			pattern := token.ReplaceAllString(regexp.QuoteMeta(*resource), "<[^>]*>")
			s.Only = append(s.Only, map[string]string{"regex": "/^Resource::" + pattern + "$/"})
		}
	}
	return s
}
