package localaws

import (
	"os"
	"strings"
	"testing"
)

// TestTheDocsListEveryOperation of the services that their table has.
func TestTheDocsListEveryOperation(t *testing.T) {
	content, err := os.ReadFile("../../docs/local-aws.md")
	check(t, err)
	rows := map[string]string{}
	for line := range strings.Lines(string(content)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			rows[strings.TrimSpace(cells[1])] = cells[2]
		}
	}
	s := New(Options{})
	for name, svc := range map[string]service{
		"Lambda": s.lambda, "CloudWatch Logs": s.logs, "Parameter Store": s.ssm, "Secrets Manager": s.secrets, "SNS": s.sns, "EventBridge": s.events,
		"STS": newSTSService(s.options), "CloudFormation": s.stacks, "CloudWatch": s.cloudwatch.faces()[0], "Step Functions": newStepFunctionsService(s.options),
	} {
		for _, operation := range svc.operations() {
			if !strings.Contains(rows[name], "`"+operation+"`") {
				t.Errorf("docs/local-aws.md lists %s without %s", name, operation)
			}
		}
		if listed := strings.Count(rows[name], "`") / 2; listed != len(svc.operations()) {
			t.Errorf("docs/local-aws.md lists %d operations of %s, which has %d", listed, name, len(svc.operations()))
		}
	}
}
