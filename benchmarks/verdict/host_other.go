//go:build !linux

package main

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
)

// errLinux is the reason for all that is left out on other systems.
var errLinux = errors.New("needs Linux")

func machineCPUs() int                      { return runtime.NumCPU() }
func canGroup(string) error                 { return errLinux }
func canLoop() error                        { return errLinux }
func dropCache(string) error                { return errLinux }
func makeFifo(string) error                 { return errLinux }
func reapLoops(string) error                { return nil }
func reapGroups() error                     { return nil }
func bindTo([]int) error                    { return errLinux }
func enter([]string, []int, []string) error { return errLinux }
func dieWithParent(*exec.Cmd)               {}

type group struct{ dirs []string }

func newGroup(string, float64, int64) (*group, error) { return nil, errLinux }
func (g *group) remove() error                        { return nil }

type loop struct{ mount string }

func newLoop(context.Context, string, string) (*loop, error) { return nil, errLinux }
func (l *loop) throttle(_, _ float64, _ bool) error          { return errLinux }
func (l *loop) remove() error                                { return nil }
