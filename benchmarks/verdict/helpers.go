package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The processes around a run. Each is this program under another first argument.

const (
	pipePiece = 64 << 10             // bytes moved at a time: what a pipe holds
	longGap   = 3 * time.Millisecond // what a sleep may take too long
)

// feed writes a file into a fifo at a rate, as a slow producer does.
func feed(file, fifo string, rate float64) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(move(out, in, rate), out.Close())
}

// drain reads a fifo at a rate until its end, as a slow consumer does.
func drain(fifo string, rate float64) error {
	in, err := os.Open(fifo)
	if err != nil {
		return err
	}
	defer in.Close()
	return move(io.Discard, in, rate)
}

// move copies at most so many bytes a second, 0 being no limit. Time that it had to wait is not made up for, but for a moment's.
func move(w io.Writer, r io.Reader, rate float64) error {
	buf := make([]byte, pipePiece)
	due := time.Now()
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rate <= 0 {
			continue
		}
		if now := time.Now(); now.Sub(due) > longGap {
			due = now
		}
		due = due.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if wait := time.Until(due); wait > 2*time.Millisecond {
			time.Sleep(wait)
		}
	}
}

// spin uses a CPU until it is told to stop.
func spin() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for ctx.Err() == nil {
		for range 1_000_000 {
		}
	}
	return nil
}

// readOver reads a file from the disk again and again until it is told to stop.
func readOver(path string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	for ctx.Err() == nil {
		n, err := f.Read(buf)
		if err == nil && n > 0 {
			continue
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := dropCache(path); err != nil {
			return err
		}
	}
	return f.Close()
}

// helper runs what the first argument of the program names.
func helper(args []string) error {
	number := func(s string) float64 { f, _ := strconv.ParseFloat(s, 64); return f }
	switch {
	case len(args) == 4 && args[0] == "feed":
		return feed(args[1], args[2], number(args[3]))
	case len(args) == 3 && args[0] == "drain":
		return drain(args[1], number(args[2]))
	case len(args) == 1 && args[0] == "spin":
		return spin()
	case len(args) == 2 && args[0] == "read-over":
		return readOver(args[1])
	case len(args) == 2 && args[0] == "child":
		return runJob(args[1])
	case len(args) > 3 && args[0] == "enter":
		return enter(list(args[1]), numbers(args[2]), args[3:])
	}
	return fmt.Errorf("no such helper: %v", args)
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func numbers(s string) (out []int) {
	for _, f := range list(s) {
		n, _ := strconv.Atoi(f)
		out = append(out, n)
	}
	return out
}

func joined(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

// process is a helper under way.
type process struct {
	cmd  *exec.Cmd
	talk *strings.Builder
}

// start runs this program, or another, in groups and on CPUs.
func (h *harness) start(ctx context.Context, groups []string, cpus []int, command ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, h.self, append([]string{"enter", strings.Join(groups, ","), joined(cpus)}, command...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second // and then it is killed
	dieWithParent(cmd)
	p := &process{cmd: cmd, talk: &strings.Builder{}}
	cmd.Stderr = p.talk
	return p, cmd.Start()
}

// stop ends a helper, if it has not ended.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	_ = p.cmd.Wait()
}
