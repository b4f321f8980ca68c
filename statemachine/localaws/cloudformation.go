package localaws

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// cloudFormationService implements the operations of CloudFormation that read stacks. They run elsewhere.
type cloudFormationService struct {
	awsQuery
	now    func() time.Time
	prefix string // of stacks' ARNs

	mu     sync.Mutex // guards what follows
	stacks []*stack   // in the order of their creation
}

// stack is a stack as DescribeStacks returns it.
type stack struct {
	id, name, reason string
	status           types.StackStatus
	created, updated time.Time
	resources        []StackResource // by logical ID
	outputs          []StackOutput
}

func newCloudFormationService(o Options) *cloudFormationService {
	return &cloudFormationService{
		awsQuery: awsQuery{version: "2010-05-15", namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/", fault: "InternalFailure", known: []string{"DescribeStacks", "DescribeStackResources", "DescribeStackResource", "ListStackResources"}},
		now:      o.Now,
		prefix:   "arn:aws:cloudformation:" + o.Region + ":" + o.Account + ":stack/",
	}
}

var stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)

// AddStack adds a stack that is being created, without a call, and returns its ID, an ARN. It returns an error if the name is
// invalid, or if a stack has it that is not deleted.
func (s *Server) AddStack(name string) (id string, err error) {
	c := s.stacks
	c.mu.Lock()
	defer c.mu.Unlock()
	if !stackName.MatchString(name) {
		return "", fmt.Errorf("add stack: %q is not a valid name", name)
	}
	if c.find(name) != nil {
		return "", fmt.Errorf("add stack: %q already exists", name)
	}
	added := &stack{id: c.prefix + name + "/" + identifier(uint64(len(c.stacks)+1)), name: name, status: types.StackStatusCreateInProgress, created: c.now()}
	c.stacks = append(c.stacks, added)
	return added.id, nil
}

// SetStackStatus sets the status of the stack with an ID or a name, and the reason for it, without a call. It returns an error
// for an unknown stack or status.
func (s *Server) SetStackStatus(stack string, status types.StackStatus, reason string) error {
	c := s.stacks
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(stack)
	if found == nil {
		return fmt.Errorf("set stack status: there is no stack %q", stack)
	}
	if !slices.Contains(status.Values(), status) {
		return fmt.Errorf("set stack status: unknown status %q", status)
	}
	found.status, found.reason = status, reason
	if !strings.HasPrefix(string(status), "CREATE_") { // a stack has been updated only after its creation
		found.updated = c.now()
	}
	return nil
}

// find returns the stack with an ID, or the one with a name that is not deleted; nil if there is none. c.mu is held.
func (c *cloudFormationService) find(given string) *stack {
	for _, s := range c.stacks {
		if s.id == given || s.name == given && s.status != types.StackStatusDeleteComplete {
			return s
		}
	}
	return nil
}

func (c *cloudFormationService) route(r *http.Request) (operation, target string, err *apiError) {
	operation, form, err := c.call(r)
	target, _, _ = strings.Cut(strings.TrimPrefix(form.Get("StackName"), c.prefix), "/")
	return operation, target, err
}

func (c *cloudFormationService) handle(operation string, r *request) (reply, *apiError) {
	form, err := formOf(r)
	if err != nil {
		return reply{}, err
	}
	switch operation {
	case "DescribeStacks":
		return c.describeStacks(form)
	case "DescribeStackResources":
		return c.describeStackResources(form)
	case "DescribeStackResource":
		return c.describeStackResource(form)
	case "ListStackResources":
		return c.listStackResources(form)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// describeStacks returns one stack, also a deleted one by its ID, or all that are not deleted, on one page, the newest first.
func (c *cloudFormationService) describeStacks(form url.Values) (reply, *apiError) {
	if form.Has("NextToken") {
		return reply{}, badRequest("ValidationError", "The local AWS returns all stacks on one page.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var described []*stack
	if !form.Has("StackName") {
		for _, s := range slices.Backward(c.stacks) {
			if s.status != types.StackStatusDeleteComplete {
				described = append(described, s)
			}
		}
	} else if s := c.find(form.Get("StackName")); s != nil {
		described = append(described, s)
	} else {
		return reply{}, badRequest("ValidationError", "Stack with id %s does not exist", form.Get("StackName"))
	}
	type member struct {
		StackID           string `xml:"StackId"`
		StackName         string
		StackStatus       types.StackStatus
		StackStatusReason string `xml:",omitempty"`
		CreationTime      string
		LastUpdatedTime   string `xml:",omitempty"`
		Outputs           struct {
			Members []StackOutput `xml:"member"`
		}
	}
	var out struct {
		Stacks struct {
			Members []member `xml:"member"`
		}
	}
	for _, s := range described {
		m := member{StackID: s.id, StackName: s.name, StackStatus: s.status, StackStatusReason: s.reason, CreationTime: s.created.UTC().Format(wireTime)}
		m.Outputs.Members = s.outputs
		if !s.updated.IsZero() {
			m.LastUpdatedTime = s.updated.UTC().Format(wireTime)
		}
		out.Stacks.Members = append(out.Stacks.Members, m)
	}
	return c.encode("DescribeStacks", out), nil
}

// wireTime is the layout of times in answers of the query protocol.
const wireTime = "2006-01-02T15:04:05.000Z"
