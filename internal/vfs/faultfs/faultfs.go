// Package faultfs wraps a file system to count its operations and to fail any of them.
//
// A test runs a workload once with a nil plan, reads Ops, and then runs it once for each
// index, failing that one. Indices follow the order of the calls, so a workload with one
// goroutine gives the same ones each time.
package faultfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Op is one operation about to happen. Index counts from 0 over the whole FS. Kind is one of
// open, create, openstream, mkdir, rename, link, remove, removeall, readdir, stat, syncdir,
// evalsymlinks, and on files read, write, copy (of a range of another file), sync, close, fstat. Path
// is the first name.
type Op struct {
	Index int
	Kind  string
	Path  string
}

// FS passes operations on to another file system unless its plan says otherwise.
type FS struct {
	inner vfs.FS
	plan  func(op Op) error

	mu sync.Mutex
	n  int
}

// New wraps inner. plan is asked before each operation, one at a time, and returns nil to let
// it happen or the error to fail it with; [Short] and [After] make errors that let part or all
// of it happen first. A nil plan fails nothing.
func New(inner vfs.FS, plan func(op Op) error) *FS { return &FS{inner: inner, plan: plan} }

// Ops is the number of operations so far.
func (f *FS) Ops() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Once is a plan that fails the operation of one index.
func Once(index int, err error) func(Op) error {
	return func(op Op) error {
		if op.Index == index {
			return err
		}
		return nil
	}
}

// From is a plan that fails every operation from one index on.
func From(index int, err error) func(Op) error {
	return func(op Op) error {
		if op.Index >= index {
			return err
		}
		return nil
	}
}

type shortError struct {
	n   int
	err error
}

func (e shortError) Error() string { return fmt.Sprintf("after %d bytes: %v", e.n, e.err) }

// Short lets a read or write handle at most n bytes and then return err, which may be nil for
// a short read; a short write without an error gets io.ErrShortWrite. Elsewhere it is err.
func Short(n int, err error) error { return shortError{n, err} }

type afterError struct{ err error }

func (e afterError) Error() string { return e.err.Error() }

// After lets the operation happen, or fail by itself, and then reports err whatever came of it,
// as a network file system does that lost the answer.
func After(err error) error { return afterError{err} }

func (f *FS) ask(kind, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	op := Op{Index: f.n, Kind: kind, Path: path}
	f.n++
	if f.plan == nil {
		return nil
	}
	return f.plan(op)
}

// do runs one operation that moves no bytes.
func (f *FS) do(kind, path string, run func() error) error {
	fault := f.ask(kind, path)
	var after afterError
	var short shortError
	switch {
	case fault == nil:
		return run()
	case errors.As(fault, &after):
		_ = run() // whatever came of it, the answer is lost
		fault = after.err
	case errors.As(fault, &short):
		if fault = short.err; fault == nil {
			return run()
		}
	}
	return &fs.PathError{Op: kind, Path: path, Err: fault}
}

// transfer runs one read or write of p.
func (f *FS) transfer(kind, path string, p []byte, run func(p []byte) (int, error)) (int, error) {
	fault := f.ask(kind, path)
	if fault == nil {
		return run(p)
	}
	n := 0
	var after afterError
	var short shortError
	switch {
	case errors.As(fault, &after):
		n, _ = run(p)
		fault = after.err
	case errors.As(fault, &short):
		n, _ = run(p[:min(short.n, len(p))])
		fault = short.err
		if fault == nil && (kind == "read" || n == len(p)) {
			return n, nil
		}
		if fault == nil {
			fault = io.ErrShortWrite
		}
	}
	return n, &fs.PathError{Op: kind, Path: path, Err: fault}
}
