package rollout

// Nested returns in words how an execution that continued the rollout ended, if the
// error is that of the task that waited for it; else "".
func (c Caught) Nested() string {
	n := c.execution()
	if n == nil {
		return ""
	}
	return nestedEnd(*n)
}
