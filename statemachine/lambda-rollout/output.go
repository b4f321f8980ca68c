package main

import (
	"errors"
	"fmt"
	"io"
)

// output is the standard output, which remembers the first write that failed: what prints need
// not look, and no lost output passes for a success.
type output struct {
	io.Writer
	failed error
}

func (o *output) Write(text []byte) (int, error) {
	n, err := o.Writer.Write(text)
	if err != nil && o.failed == nil {
		o.failed = err
	}
	return n, err
}

// Fd returns the output's file descriptor; one that is invalid if it is no file.
func (o *output) Fd() uintptr {
	if file, ok := o.Writer.(interface{ Fd() uintptr }); ok {
		return file.Fd()
	}
	return ^uintptr(0)
}

// ends returns how a command ends that returned err: if output was lost, with the exit code 3
// instead of 0, and instead of 2 if that was the reason, as nothing was refused.
func (o *output) ends(err error) error {
	coded, isCode := errors.AsType[exit](err)
	switch {
	case o.failed == nil:
		return err
	case err == nil, errors.Is(err, o.failed):
		return exit{unknown, o.lost()}
	case isCode && coded.error == nil:
		return exit{coded.code, o.lost()}
	}
	return err
}

// lost returns the error of lost output.
func (o *output) lost() error {
	return fmt.Errorf("the output can't be written, and is not complete: %w", o.failed)
}
