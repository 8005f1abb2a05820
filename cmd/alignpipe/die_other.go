//go:build !linux

package main

import "syscall"

// defaultAction leaves the signal to signal.Reset.
func defaultAction(syscall.Signal) {}
