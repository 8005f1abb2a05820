package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// stopSignals end a run in order: what a shell, a batch system and a CPU limit send.
var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGXCPU}

// lastResort is when a stopped program ends although run has not returned. The contract
// gives two seconds in all.
const lastResort = 1700 * time.Millisecond

// cancelOnSignal ends ctx at the first stop signal; caught tells which one it was, or nil.
// A signal that was ignored when the program started, as under nohup, stays ignored.
// A write into a closed pipe is an error of the write, not a signal.
func cancelOnSignal(parent context.Context) (ctx context.Context, caught func() os.Signal) {
	ctx, cancel := context.WithCancel(parent)
	signal.Ignore(syscall.SIGPIPE)
	var wanted []os.Signal
	for _, s := range stopSignals {
		if !signal.Ignored(s) {
			wanted = append(wanted, s)
		}
	}
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, wanted...)
	var first atomic.Value
	go func() {
		s := <-arrived
		first.Store(s)
		cancel()
		time.Sleep(lastResort)
		dieBy(s)
	}()
	return ctx, func() os.Signal {
		s, _ := first.Load().(os.Signal)
		return s
	}
}

// dieBy ends the program by a signal, so that the caller sees why it ended.
func dieBy(s os.Signal) {
	if n, ok := s.(syscall.Signal); ok {
		signal.Reset(s)
		defaultAction(n)
		_ = syscall.Kill(os.Getpid(), n)
	}
	time.Sleep(100 * time.Millisecond) // the signal comes to some thread soon
	os.Exit(1)
}

// interruptible lets reads of a fifo or a terminal end with ctx: a blocking read of
// standard input cannot be woken by closing it.
func interruptible(ctx context.Context, f *os.File) io.Reader {
	if runtime.GOOS != "linux" {
		return f
	}
	return &wakingReader{ctx: ctx, f: f}
}
