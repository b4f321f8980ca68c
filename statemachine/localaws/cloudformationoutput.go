package localaws

import (
	"fmt"
	"slices"
)

// StackOutput is an output of a stack.
type StackOutput struct {
	Key         string `xml:"OutputKey"`
	Value       string `xml:"OutputValue"`
	Description string `xml:",omitempty"`
	Export      string `xml:"ExportName,omitempty"`
}

// SetStackOutputs sets the outputs of the stack with an ID or a name, without a call. It returns an error, and sets none, for
// an unknown stack, and for an output without a key.
func (s *Server) SetStackOutputs(stack string, outputs []StackOutput) error {
	c := s.stacks
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.find(stack)
	if found == nil {
		return fmt.Errorf("set stack outputs: there is no stack %q", stack)
	}
	for _, o := range outputs {
		if o.Key == "" {
			return fmt.Errorf("set stack outputs: %+v has no key", o)
		}
	}
	found.outputs = slices.Clone(outputs)
	return nil
}
