package rollout

// Nested says how an execution that the rollout went on in ended, if the error is
// that of the task which waited for it; else "".
func (c Caught) Nested() string {
	n := c.execution()
	if n == nil {
		return ""
	}
	return nestedEnd(*n)
}
