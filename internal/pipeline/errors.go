package pipeline

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/alignpipe/alignpipe/mapper"
	"github.com/alignpipe/alignpipe/reader"
)

// Exit codes of the program. A run stopped by a signal ends by that signal instead.
const (
	ExitOK     = 0
	ExitFailed = 1  // reading, memory, internal
	ExitMisuse = 64 // the command line or its files make no sense
	ExitData   = 65 // bad input data
	ExitOutput = 74 // no space or an I/O error on output or spill
)

var (
	// ErrMisuse marks errors that another command line would avoid.
	ErrMisuse = errors.New("misuse")
	// ErrOutput marks errors of writing: the output, its index, or spilled runs.
	ErrOutput = errors.New("output failed")
	// ErrLost means that the records written are not the reads that were read.
	ErrLost = errors.New("the output does not hold the input reads; nothing was kept")
)

// classified carries a class for [errors.Is], and a hint, without touching the message.
type classified struct {
	err   error
	class error
	hint  string
}

func (c *classified) Error() string   { return c.err.Error() }
func (c *classified) Unwrap() []error { return []error{c.err, c.class} }

// Misuse makes an ErrMisuse with a hint; the hint may be empty.
func Misuse(hint, format string, args ...any) error {
	return &classified{fmt.Errorf(format, args...), ErrMisuse, hint}
}

// BadData makes an error of what a file holds, other than reads and references.
func BadData(hint, format string, args ...any) error {
	return &classified{fmt.Errorf(format, args...), reader.ErrInput, hint}
}

// outputError marks err as a failure of writing. Cancellation, and a machine without
// memory, are no such failure.
func outputError(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, syscall.ENOMEM) {
		return err
	}
	hint := ""
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "free some space, or choose another folder with -o or -T"
	case errors.Is(err, syscall.EMFILE):
		hint = "raise the limit of open files: ulimit -n"
	}
	return &classified{err, ErrOutput, hint}
}

// Hint is the advice that belongs to an error, or empty.
func Hint(err error) string {
	for err != nil {
		var c *classified
		if !errors.As(err, &c) {
			return ""
		}
		if c.hint != "" {
			return c.hint
		}
		err = c.err
	}
	return ""
}

// ExitCode is the exit code that the class of an error asks for. Data that could not be
// read, for the system refused, is not bad data.
func ExitCode(err error) int {
	var refused syscall.Errno
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrMisuse):
		return ExitMisuse
	case errors.Is(err, ErrOutput):
		return ExitOutput
	case errors.As(err, &refused):
		return ExitFailed
	case errors.Is(err, reader.ErrInput), errors.Is(err, mapper.ErrInput):
		return ExitData
	default:
		return ExitFailed
	}
}
