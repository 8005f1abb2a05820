//go:build !nometer

package meter

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestQueueChargesWhoWaited(t *testing.T) {
	tests := []struct {
		name                 string
		capacity, values     int
		sendEvery, recvEvery time.Duration // work before each send, after each receive
		wantOut, wantIn      time.Duration
	}{
		{"a slow receiver makes the sender wait", 1, 4, 0, time.Second, 2 * time.Second, 0},
		{"a slow sender makes the receiver wait", 1, 4, time.Second, 0, 0, 4 * time.Second},
		{"room for everything: nobody waits", 4, 4, 0, time.Second, 0, 0},
		{"no room at all: hand to hand", 0, 3, 0, time.Second, 2 * time.Second, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from, to := NewStage("from", KindDeviceRead, 1), NewStage("to", KindDeviceWrite, 1)
				q := NewQueue[int](tt.capacity, from, to)
				go func() {
					defer q.Close()
					for i := range tt.values {
						time.Sleep(tt.sendEvery)
						if err := q.Send(t.Context(), i); err != nil {
							t.Error(err)
						}
					}
				}()
				synctest.Wait() // the sender is blocked, asleep or done before the first receive
				for want := 0; ; want++ {
					v, ok, err := q.Recv(t.Context())
					if err != nil || !ok {
						break
					}
					if v != want {
						t.Errorf("received %d, want %d", v, want)
					}
					time.Sleep(tt.recvEvery)
				}
				f, r, s := from.Snapshot(), to.Snapshot(), q.Stats()
				if got := time.Duration(f.WaitNS[WaitOut]); got != tt.wantOut {
					t.Errorf("sender waited %v, want %v", got, tt.wantOut)
				}
				if got := time.Duration(r.WaitNS[WaitIn]); got != tt.wantIn {
					t.Errorf("receiver waited %v, want %v", got, tt.wantIn)
				}
				if s.Sent != int64(tt.values) || s.Received != s.Sent || f.Batches != s.Sent || r.Batches != s.Sent {
					t.Errorf("sent %d, received %d, batches %d and %d, want all %d", s.Sent, s.Received, f.Batches, r.Batches, tt.values)
				}
				if s.FullNS != f.WaitNS[WaitOut] || s.EmptyNS != r.WaitNS[WaitIn] {
					t.Errorf("queue times %d, %d disagree with the stages", s.FullNS, s.EmptyNS)
				}
				if s.HighWater > int64(s.Capacity) || s.MeanLength > float64(s.Capacity) {
					t.Errorf("lengths above capacity: %+v", s)
				}
			})
		})
	}
}

func TestQueueEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		from, to := NewStage("from", KindCPU, 1), NewStage("to", KindCPU, 1)
		q := NewQueue[int](1, from, to)
		if err := q.Send(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if err := q.Send(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send on a full queue = %v, want the deadline", err)
		}
		if v, ok, err := q.Recv(ctx); v != 1 || !ok || err != nil {
			t.Errorf("Recv = %d, %t, %v; what was sent must still arrive", v, ok, err)
		}
		if _, ok, err := q.Recv(ctx); ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Recv on an empty queue = %t, %v", ok, err)
		}
		if s := q.Stats(); s.Sent != 1 || s.Received != 1 || s.FullNS != int64(time.Second) {
			t.Errorf("a failed send was counted: %+v", s)
		}
	})
}

func TestQueueDrainReleasesLeftovers(t *testing.T) {
	q := NewQueue[int](3, nil, nil)
	for i := range 3 {
		if err := q.Send(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	q.Close()
	q.Close()
	var released []int
	q.Drain(func(v int) { released = append(released, v) })
	if len(released) != 3 || q.Len() != 0 {
		t.Errorf("released %v, %d left", released, q.Len())
	}
	if _, ok, err := q.Recv(t.Context()); ok || err != nil {
		t.Errorf("Recv after Drain = %t, %v, want a clean end", ok, err)
	}
}

// BenchmarkQueue is the price of metering a hand-over when nobody waits, beside a bare channel.
func BenchmarkQueue(b *testing.B) {
	ctx := b.Context()
	b.Run("kind=bare-channel", func(b *testing.B) {
		b.ReportAllocs()
		ch := make(chan *int, 4)
		for b.Loop() {
			ch <- nil
			<-ch
		}
	})
	b.Run("kind=metered", func(b *testing.B) {
		b.ReportAllocs()
		q := NewQueue[*int](4, NewStage("a", KindCPU, 1), NewStage("b", KindCPU, 1))
		for b.Loop() {
			_ = q.Send(ctx, nil)
			_, _, _ = q.Recv(ctx)
		}
	})
}

func TestQueueAllocatesNothing(t *testing.T) {
	q := NewQueue[*int](4, NewStage("a", KindCPU, 1), NewStage("b", KindCPU, 1))
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		_ = q.Send(ctx, nil)
		_, _, _ = q.Recv(ctx)
	}); n != 0 {
		t.Errorf("%v allocations per hand-over, want 0", n)
	}
}
