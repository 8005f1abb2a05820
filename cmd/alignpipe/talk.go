package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// talker writes log records the way the program talks: `alignpipe: warning: what (a=b, c=d)`.
type talker struct {
	mu    sync.Mutex
	w     io.Writer
	level slog.Level
}

func (t *talker) Enabled(_ context.Context, l slog.Level) bool { return l >= t.level }

func (t *talker) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("alignpipe: ")
	if r.Level >= slog.LevelWarn {
		b.WriteString("warning: ")
	}
	b.WriteString(r.Message)
	separator := " ("
	r.Attrs(func(a slog.Attr) bool {
		if a.Value.Any() != nil {
			b.WriteString(separator + a.Key + "=" + a.Value.String())
			separator = ", "
		}
		return true
	})
	if separator == ", " {
		b.WriteByte(')')
	}
	b.WriteByte('\n')
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.w, b.String())
	return err
}

// WithAttrs and WithGroup are not used by this program.
func (t *talker) WithAttrs([]slog.Attr) slog.Handler { return t }
func (t *talker) WithGroup(string) slog.Handler      { return t }
