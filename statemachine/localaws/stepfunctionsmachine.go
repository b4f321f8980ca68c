package localaws

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Catalog can be implemented by [Executions] to report the state machines themselves, through ListStateMachines,
// DescribeStateMachine, DescribeStateMachineForExecution and ListTagsForResource. Without it, these report none.
type Catalog interface {
	// StateMachines returns all state machines, in any order.
	StateMachines() []StateMachine
}

// StateMachine is an active state machine of the type STANDARD.
type StateMachine struct {
	ARN        string
	Name       string
	Definition string // in Amazon States Language
	RoleARN    string
	Created    time.Time
	Tags       map[string]string
	Logging    MachineLogging
	Tracing    bool
}

// MachineLogging is how a state machine is configured to log. The zero value is a state machine that does not.
type MachineLogging struct {
	Level    types.LogLevel // OFF if empty
	Group    string         // the ARN of the log group; empty for none
	WithData bool           // the inputs and outputs, too
}

// machines returns the state machines, sorted by name.
func (s *stepFunctionsService) machines() []StateMachine {
	catalog, ok := s.executions.(Catalog)
	if !ok {
		return nil
	}
	return slices.SortedFunc(slices.Values(catalog.StateMachines()), func(a, b StateMachine) int { return strings.Compare(a.Name, b.Name) })
}

// machine returns the state machine with that ARN.
func (s *stepFunctionsService) machine(arn string) (StateMachine, *apiError) {
	if err := checkARN(arn, "stateMachine", 7); err != nil {
		return StateMachine{}, err
	}
	all := s.machines()
	i := slices.IndexFunc(all, func(m StateMachine) bool { return m.ARN == arn })
	if i < 0 {
		return StateMachine{}, badRequest("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
	}
	return all[i], nil
}

// maxMachinesToken is the maximum length of ListStateMachines' nextToken (recorded on AWS 2024-07-01, by LocalStack's tests).
const maxMachinesToken = 1024

func (s *stepFunctionsService) listStateMachines(r *request) (reply, *apiError) {
	var in sfn.ListStateMachinesInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	if token := aws.ToString(in.NextToken); len(token) > maxMachinesToken {
		return reply{}, invalid(token, "nextToken", "Member must have length less than or equal to 1024")
	}
	size, err := checkPage(in.MaxResults)
	if err != nil {
		return reply{}, err
	}
	all := s.machines()
	if in.NextToken != nil {
		next, decodeErr := base64.RawURLEncoding.DecodeString(*in.NextToken)
		i := slices.IndexFunc(all, func(m StateMachine) bool { return m.Name >= string(next) })
		if decodeErr != nil || i < 0 {
			return reply{}, invalidToken(*in.NextToken)
		}
		all = all[i:]
	}
	type item struct {
		ARN     string                 `json:"stateMachineArn"`
		Name    string                 `json:"name"`
		Type    types.StateMachineType `json:"type"`
		Created json.Number            `json:"creationDate"`
	}
	var out struct {
		Machines  []item `json:"stateMachines"`
		NextToken string `json:"nextToken,omitempty"`
	}
	out.Machines = []item{}
	for _, m := range all[:min(size, len(all))] {
		out.Machines = append(out.Machines, item{m.ARN, m.Name, types.StateMachineTypeStandard, epochSeconds(m.Created)})
	}
	if len(all) > size {
		out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(all[size].Name))
	}
	return s.encode(&out)
}

// logDestination is a log group as the API shows it.
type logDestination struct {
	Group struct {
		ARN string `json:"logGroupArn"`
	} `json:"cloudWatchLogsLogGroup"`
}

// machineDetails is what both operations return that describe a state machine.
type machineDetails struct {
	ARN        string `json:"stateMachineArn"`
	Name       string `json:"name"`
	Definition string `json:"definition,omitempty"`
	RoleARN    string `json:"roleArn"`
	Logging    struct {
		Level       types.LogLevel `json:"level"`
		IncludeData bool           `json:"includeExecutionData"`

		Destinations []logDestination `json:"destinations,omitempty"`
	} `json:"loggingConfiguration"`
	Tracing struct {
		Enabled bool `json:"enabled"`
	} `json:"tracingConfiguration"`
}

// details returns the state machine with that ARN and its details, with its definition unless only metadata are wanted.
func (s *stepFunctionsService) details(arn string, wanted types.IncludedData) (StateMachine, machineDetails, *apiError) {
	m, err := s.machine(arn)
	if err != nil {
		return m, machineDetails{}, err
	}
	d := machineDetails{ARN: m.ARN, Name: m.Name, RoleARN: m.RoleARN}
	d.Logging.Level, d.Logging.IncludeData, d.Tracing.Enabled = cmp.Or(m.Logging.Level, types.LogLevelOff), m.Logging.WithData, m.Tracing
	if m.Logging.Group != "" {
		to := logDestination{}
		to.Group.ARN = m.Logging.Group
		d.Logging.Destinations = []logDestination{to}
	}
	switch wanted {
	case "", types.IncludedDataAllData:
		d.Definition = m.Definition
	case types.IncludedDataMetadataOnly:
	default:
		return m, d, invalid(wanted, "includedData", fmt.Sprintf("Member must satisfy enum value set: %s", wanted.Values()))
	}
	return m, d, nil
}

func (s *stepFunctionsService) describeStateMachine(r *request) (reply, *apiError) {
	var in sfn.DescribeStateMachineInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	m, details, err := s.details(aws.ToString(in.StateMachineArn), in.IncludedData)
	if err != nil {
		return reply{}, err
	}
	return s.encode(struct {
		machineDetails
		Status  types.StateMachineStatus `json:"status"`
		Type    types.StateMachineType   `json:"type"`
		Created json.Number              `json:"creationDate"`
	}{details, types.StateMachineStatusActive, types.StateMachineTypeStandard, epochSeconds(m.Created)})
}

// describeStateMachineForExecution describes an execution's state machine. Its definition does not change while the local AWS
// runs, so the execution has the current one.
func (s *stepFunctionsService) describeStateMachineForExecution(r *request) (reply, *apiError) {
	var in sfn.DescribeStateMachineForExecutionInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	e, err := s.find(aws.ToString(in.ExecutionArn))
	if err != nil {
		return reply{}, err
	}
	m, details, err := s.details(e.StateMachineARN, in.IncludedData)
	if err != nil {
		return reply{}, err
	}
	return s.encode(struct {
		machineDetails
		Updated json.Number `json:"updateDate"`
	}{details, epochSeconds(m.Created)})
}

// listTagsForResource returns a state machine's tags, sorted by key. The local AWS has no activities.
func (s *stepFunctionsService) listTagsForResource(r *request) (reply, *apiError) {
	var in sfn.ListTagsForResourceInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	m, err := s.machine(aws.ToString(in.ResourceArn))
	if err != nil {
		if err.code == "StateMachineDoesNotExist" {
			err = badRequest("ResourceNotFound", "Resource not found: '%s'", aws.ToString(in.ResourceArn))
		}
		return reply{}, err
	}
	type tag struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	out := struct {
		Tags []tag `json:"tags"`
	}{[]tag{}}
	for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
		out.Tags = append(out.Tags, tag{key, m.Tags[key]})
	}
	return s.encode(&out)
}
