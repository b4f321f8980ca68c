package localaws

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// The permissions that operations need, according to the Service Authorization Reference. No principal can call an
// operation that is missing here.

// need is one permission that a call needs.
type need struct {
	action   string
	resource string // an ARN, or "*" for an action that has no resources
	tagged   bool   // the server knows the resource's tags; otherwise they are unknown, unless there is no resource
}

// nothingNeeded is what an operation needs that everyone may call.
var nothingNeeded = need{}

// needs implements service. Lambda authorizes alias operations on the function. For the operations that read the
// settings of a version or an alias, AWS does not document clearly whether IAM sees the qualified ARN: here they need
// both permissions.
func (l *lambdaService) needs(operation string, r *request) ([]need, *apiError) {
	name, _, _ := splitPath(r.URL.Path)
	switch operation {
	case "ListFunctions":
		return []need{{"lambda:" + operation, "*", false}}, nil
	case "CreateFunction":
		var in struct{ FunctionName string }
		if err := decode(r, &in); err != nil {
			return nil, err
		}
		name = in.FunctionName
	case "TagResource", "UntagResource", "ListTags":
		name = strings.TrimPrefix(r.URL.Path, tagsPath)
	case downloadCode:
		return []need{nothingNeeded}, nil // as for a presigned address
	}
	return l.needsOf(operation, name, qualifierOf(r.URL))
}

// needsOf returns the permissions that an operation on one function needs.
func (l *lambdaService) needsOf(operation, name, qualifier string) ([]need, *apiError) {
	ref, err := l.qualified(name, qualifier)
	if err != nil {
		return nil, err
	}
	function := l.arn(functionRef{name: ref.name})
	switch operation {
	case "CreateAlias", "GetAlias", "UpdateAlias", "DeleteAlias", "ListAliases", "CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration",
		"PublishVersion", "ListVersionsByFunction", "TagResource", "UntagResource", "ListTags":
		return []need{{"lambda:" + operation, function, true}}, nil
	case "GetFunction", "GetFunctionConfiguration", "GetProvisionedConcurrencyConfig":
		all := []need{{"lambda:" + operation, function, true}}
		if ref.qualifier != "" {
			all = append(all, need{"lambda:" + operation, l.arn(ref), true})
		}
		return all, nil
	case "DeleteFunction", "PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig":
		return []need{{"lambda:" + operation, l.arn(ref), true}}, nil
	case "Invoke":
		return []need{{"lambda:InvokeFunction", l.arn(ref), true}}, nil
	}
	return nil, nil
}

// needs implements service: ListTopics has no resource; the others need the permission on the topic.
func (n *snsService) needs(operation string, r *request) ([]need, *apiError) {
	form, err := formOf(r)
	if err != nil {
		return nil, err
	}
	topic := form.Get("TopicArn")
	if operation == "ListTopics" {
		topic = "*"
	}
	return []need{{"sns:" + operation, topic, false}}, nil
}

// needs implements service: PutEvents needs the permission on each bus that it names, and operations on a rule that on the rule.
// IAM authorizes the lists on all rules of a bus and on all buses, which are "*" here.
func (b *eventBridgeService) needs(operation string, r *request) ([]need, *apiError) {
	switch operation {
	case "DescribeRule", "EnableRule", "DisableRule":
		var in struct{ Name string }
		err := b.decode(r, &in)
		return []need{{"events:" + operation, b.ruleARN(in.Name), false}}, err
	case "ListRules", "ListEventBuses":
		return []need{{"events:" + operation, "*", false}}, nil
	}
	var in struct{ Entries []eventEntry }
	if err := b.decode(r, &in); err != nil {
		return nil, err
	}
	return b.needsOf(in.Entries), nil
}

// needsOf returns the permissions that PutEvents needs for entries.
func (b *eventBridgeService) needsOf(entries []eventEntry) []need {
	var all []need
	for _, entry := range entries {
		bus := entry.EventBusName
		if bus == "" {
			bus = "default"
		}
		if !strings.HasPrefix(bus, "arn:") {
			bus = "arn:aws:events:" + b.region + ":" + b.account + ":event-bus/" + bus
		}
		if n := (need{"events:PutEvents", bus, false}); !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		all = []need{{"events:PutEvents", "*", false}} // the call is refused for another reason
	}
	return all
}

// needs implements service: ListStateMachines has no resource; StartExecution, ListExecutions, DescribeStateMachine and
// ListTagsForResource are authorized on the state machine, the others on the execution.
func (s *stepFunctionsService) needs(operation string, r *request) ([]need, *apiError) {
	if operation == "TestState" {
		return needsTest(r)
	}
	var in struct{ StateMachineArn, ExecutionArn, ResourceArn string }
	if err := json.Unmarshal(r.body, &in); err != nil {
		return nil, malformed(err)
	}
	resource := in.ExecutionArn
	switch operation {
	case "StartExecution", "ListExecutions", "DescribeStateMachine":
		resource = in.StateMachineArn
	case "ListTagsForResource":
		resource = in.ResourceArn
	case "ListStateMachines":
		resource = "*"
	}
	return []need{needOfStates(operation, resource)}, nil
}

// needOfStates returns the permission that an operation of Step Functions needs.
func needOfStates(operation, resource string) need {
	return need{"states:" + operation, resource, false}
}

// needs implements service. Policies for Parameter Store see the parameter's ARN whether or not it exists, and a path as if
// it were a parameter.
func (s *ssmService) needs(operation string, r *request) ([]need, *apiError) {
	if operation == "GetParameters" || operation == "DeleteParameters" {
		return s.needsOnNames(operation, r)
	}
	var in struct{ Name, Path *string }
	if err := s.decode(r, &in); err != nil {
		return nil, err
	}
	if operation == "GetParametersByPath" {
		return []need{{"ssm:" + operation, s.prefix + strings.TrimPrefix(aws.ToString(in.Path), "/"), true}}, nil
	}
	return []need{s.needOf(operation, aws.ToString(in.Name))}, nil
}

// needOf returns the permission that an operation on one parameter needs.
func (s *ssmService) needOf(operation, name string) need {
	name, _, _ = strings.Cut(strings.TrimPrefix(name, s.prefix), ":")
	return need{"ssm:" + operation, s.prefix + strings.TrimPrefix(name, "/"), true}
}

// needs implements service. Policies for Secrets Manager see the complete ARN of a secret. A secret that does not exist has
// no tags.
func (s *secretsManagerService) needs(operation string, r *request) ([]need, *apiError) {
	var in struct{ SecretId *string }
	if err := s.decode(r, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := aws.ToString(in.SecretId)
	if _, of, ok := s.find(arn); ok {
		arn = of.arn
	} else if !strings.HasPrefix(arn, "arn:") {
		arn = s.prefix + arn
	}
	return []need{{"secretsmanager:" + operation, arn, true}}, nil
}

// needs implements service: every operation needs the permission on the stack, also on the one of a physical resource. If there is none of the given name, its ARN ends
// in an asterisk instead of an ID.
func (c *cloudFormationService) needs(operation string, r *request) ([]need, *apiError) {
	form, err := formOf(r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	arn := form.Get("StackName")
	found := c.find(arn)
	if physical := form.Get("PhysicalResourceId"); arn == "" && physical != "" {
		found = c.findPhysical(physical)
	}
	if found != nil {
		arn = found.id
	} else if arn == "" {
		arn = "*"
	} else if !strings.HasPrefix(arn, "arn:") {
		arn = c.prefix + arn + "/*"
	}
	return []need{{"cloudformation:" + operation, arn, false}}, nil
}

func (unknownService) needs(operation string, r *request) ([]need, *apiError) {
	return nil, unknownOperation(operation, r.Request)
}

// The denied methods return the error for a missing permission, as each service writes it: CloudFormation, SNS and CloudWatch
// use the codes of the query protocol, and services with the protocol AWS JSON answer with the status 400.

func (l *lambdaService) denied(message string) *apiError {
	return &apiError{http.StatusForbidden, "AccessDeniedException", message}
}

func (c *cloudWatchService) denied(message string) *apiError {
	return &apiError{http.StatusForbidden, "AccessDenied", message}
}

func (n *snsService) denied(message string) *apiError {
	return &apiError{http.StatusForbidden, "AuthorizationError", message}
}

func (c *cloudFormationService) denied(message string) *apiError {
	return &apiError{http.StatusForbidden, "AccessDenied", message}
}

func (s awsJSON) denied(message string) *apiError {
	return badRequest("AccessDeniedException", "%s", message)
}

func (s *stepFunctionsService) denied(message string) *apiError {
	return badRequest("AccessDeniedException", "%s", message)
}

func (unknownService) denied(message string) *apiError {
	return &apiError{http.StatusForbidden, "AccessDeniedException", message}
}
