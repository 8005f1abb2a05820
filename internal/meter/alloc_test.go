//go:build !nometer && !race

package meter

import (
	"context"
	"testing"
)

// The race detector has a sync.Pool forget some of what it is given.
func TestMeasuringDoesNotAllocate(t *testing.T) {
	s, inner, device := NewStage("map", KindCPU, 1), NewStage("sort", KindCPU, 1), NewStage("write", KindDeviceWrite, 1)
	device.SetDevice(NewDevice("sda"))
	q := NewQueue[int](1, s, s)
	f := new(Flight)
	ctx := context.Background()
	tests := []struct {
		name string
		do   func()
	}{
		{"enter and exit", func() { s.Enter().Exit() }},
		{"nested", func() { w := s.Enter(); inner.Enter().Exit(); w.Exit() }},
		{"a device call", func() { c := device.Begin(BlkWrite); c.End() }},
		{"work", func() { w := device.Work(); w.End() }},
		{"items", func() { s.AddItems(3); s.AddBytesIn(1); s.AddBytesOut(1); s.AddWait(WaitIn, 1) }},
		{"a queue", func() {
			if q.Send(ctx, 1) != nil {
				t.Error("not sent")
			}
			if _, ok, _ := q.Recv(ctx); !ok {
				t.Error("not received")
			}
		}},
		{"in flight", func() { f.Leave(f.Enter()) }},
	}
	for _, tt := range tests {
		if n := testing.AllocsPerRun(1000, tt.do); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}
