package localaws

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// StackResource is a resource of a stack.
type StackResource struct {
	LogicalID  string // unique in the stack
	PhysicalID string // an ARN or a name, as Ref returns it
	Type       string // such as AWS::Lambda::Function
	Status     types.ResourceStatus
	Reason     string    // of the status; empty for none
	Updated    time.Time // when the status was set last
}

// AddStackResources adds resources to the stack with an ID or a name, without a call. A resource replaces the one with its
// logical ID. An empty Status is CREATE_COMPLETE, and a zero Updated is the current time. It returns an error, and adds none,
// for an unknown stack or status, and for a resource without a logical ID or a type.
func (s *Server) AddStackResources(stack string, resources []StackResource) error {
	c := s.stacks
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(stack)
	if found == nil {
		return fmt.Errorf("add stack resources: there is no stack %q", stack)
	}
	all := slices.Clone(found.resources)
	for _, r := range resources {
		r.Status = cmp.Or(r.Status, types.ResourceStatusCreateComplete)
		if r.Updated.IsZero() {
			r.Updated = c.now()
		}
		if r.LogicalID == "" || r.Type == "" || !slices.Contains(r.Status.Values(), r.Status) {
			return fmt.Errorf("add stack resources: %+v has no logical ID, no type or an unknown status", r)
		}
		i, exists := slices.BinarySearchFunc(all, r.LogicalID, func(r StackResource, id string) int { return strings.Compare(r.LogicalID, id) })
		if exists {
			all[i] = r
		} else {
			all = slices.Insert(all, i, r)
		}
	}
	found.resources = all
	return nil
}

// resourceMember is a resource in an answer. The three operations name its time differently, and only two name the stack.
type resourceMember struct {
	StackID    string                         `xml:"StackId,omitempty"`
	StackName  string                         `xml:",omitempty"`
	LogicalID  string                         `xml:"LogicalResourceId"`
	PhysicalID string                         `xml:"PhysicalResourceId,omitempty"`
	Type       string                         `xml:"ResourceType"`
	Timestamp  string                         `xml:",omitempty"`
	Updated    string                         `xml:"LastUpdatedTimestamp,omitempty"`
	Status     types.ResourceStatus           `xml:"ResourceStatus"`
	Reason     string                         `xml:"ResourceStatusReason,omitempty"`
	Drift      types.StackResourceDriftStatus `xml:"DriftInformation>StackResourceDriftStatus"`
}

func (r StackResource) member() resourceMember {
	return resourceMember{LogicalID: r.LogicalID, PhysicalID: r.PhysicalID, Type: r.Type, Status: r.Status, Reason: r.Reason, Drift: types.StackResourceDriftStatusNotChecked}
}

// resourcesPerPage is how many resources ListStackResources returns at most, and DescribeStackResources altogether.
const resourcesPerPage = 100

// describeStackResources returns the resources of a stack, or of the stack with a physical resource: the first 100 sorted by
// logical ID, or one.
func (c *cloudFormationService) describeStackResources(form url.Values) (reply, *apiError) {
	name, physical, logical := form.Get("StackName"), form.Get("PhysicalResourceId"), form.Get("LogicalResourceId")
	if (name == "") == (physical == "") {
		return reply{}, badRequest("ValidationError", "Exactly one of StackName and PhysicalResourceId must be specified")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(name)
	if physical != "" {
		if found = c.findPhysical(physical); found == nil {
			return reply{}, badRequest("ValidationError", "Stack for PhysicalId %s does not exist", physical)
		}
	}
	if found == nil {
		return reply{}, badRequest("ValidationError", "Stack with id %s does not exist", name)
	}
	var out struct {
		Resources struct {
			Members []resourceMember `xml:"member"`
		} `xml:"StackResources"`
	}
	for _, r := range found.resources {
		if logical != "" && r.LogicalID != logical || len(out.Resources.Members) == resourcesPerPage {
			continue
		}
		m := r.member()
		m.StackID, m.StackName, m.Timestamp = found.id, found.name, r.Updated.UTC().Format(wireTime)
		out.Resources.Members = append(out.Resources.Members, m)
	}
	if logical != "" && len(out.Resources.Members) == 0 {
		return reply{}, badRequest("ValidationError", "Resource %s does not exist for stack %s", logical, found.name)
	}
	return c.encode("DescribeStackResources", out), nil
}

// findPhysical returns the stack that is not deleted and has a resource with that physical ID; nil if there is none. c.mu is
// held.
func (c *cloudFormationService) findPhysical(id string) *stack {
	i := slices.IndexFunc(c.stacks, func(s *stack) bool {
		return s.status != types.StackStatusDeleteComplete && slices.ContainsFunc(s.resources, func(r StackResource) bool { return r.PhysicalID == id })
	})
	if i < 0 {
		return nil
	}
	return c.stacks[i]
}

// describeStackResource returns one resource of a stack.
func (c *cloudFormationService) describeStackResource(form url.Values) (reply, *apiError) {
	name, logical := form.Get("StackName"), form.Get("LogicalResourceId")
	for _, given := range [][2]string{{"stackName", name}, {"logicalResourceId", logical}} {
		if given[1] == "" {
			return reply{}, badRequest("ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", given[0])
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(name)
	if found == nil {
		return reply{}, badRequest("ValidationError", "Stack '%s' does not exist", name)
	}
	i := slices.IndexFunc(found.resources, func(r StackResource) bool { return r.LogicalID == logical })
	if i < 0 {
		return reply{}, badRequest("ValidationError", "Resource %s does not exist for stack %s", logical, name)
	}
	var out struct {
		Detail resourceMember `xml:"StackResourceDetail"`
	}
	out.Detail = found.resources[i].member()
	out.Detail.StackID, out.Detail.StackName, out.Detail.Updated = found.id, found.name, found.resources[i].Updated.UTC().Format(wireTime)
	return c.encode("DescribeStackResource", out), nil
}

// listStackResources returns a page of a stack's resources, sorted by logical ID. Its NextToken is the logical ID of the next
// one.
func (c *cloudFormationService) listStackResources(form url.Values) (reply, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(form.Get("StackName"))
	if found == nil {
		return reply{}, badRequest("ValidationError", "Stack with id %s does not exist", form.Get("StackName"))
	}
	left := found.resources
	if token := form.Get("NextToken"); token != "" {
		next, err := base64.RawURLEncoding.DecodeString(token)
		i := slices.IndexFunc(left, func(r StackResource) bool { return r.LogicalID >= string(next) })
		if err != nil || i < 0 {
			return reply{}, badRequest("ValidationError", "The specified token is invalid")
		}
		left = left[i:]
	}
	var out struct {
		Summaries struct {
			Members []resourceMember `xml:"member"`
		} `xml:"StackResourceSummaries"`
		NextToken string `xml:",omitempty"`
	}
	for _, r := range left[:min(resourcesPerPage, len(left))] {
		m := r.member()
		m.Updated = r.Updated.UTC().Format(wireTime)
		out.Summaries.Members = append(out.Summaries.Members, m)
	}
	if len(left) > resourcesPerPage {
		out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(left[resourcesPerPage].LogicalID))
	}
	return c.encode("ListStackResources", out), nil
}
