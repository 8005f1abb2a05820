package gather

import (
	"errors"
	"fmt"
)

// Class says who is to do something about an error.
type Class int

// The classes. An error without one, such as a file that cannot be read, is the machine's.
const (
	BadCall   Class = iota + 1 // another command line would do
	BadData                    // a part is not what it should be
	BadOutput                  // writing failed
)

// Error is an error of a known class.
type Error struct {
	Class Class
	Hint  string // what to do; may be empty
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func misuse(hint, format string, args ...any) error {
	return &Error{BadCall, hint, fmt.Errorf(format, args...)}
}

func badData(hint string, err error) error { return &Error{BadData, hint, err} }

// outputError marks an error of writing, unless its class is known.
func outputError(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Class: BadOutput, Err: err}
}
