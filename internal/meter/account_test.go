//go:build !nometer

package meter

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestADeviceIsBusyWhileAnyCallIsUnderWay(t *testing.T) {
	tests := []struct {
		name  string
		calls [][2]time.Duration // start and end
		want  time.Duration
	}{
		{"one", [][2]time.Duration{{1, 3}}, 2},
		{"one after the other", [][2]time.Duration{{1, 3}, {4, 9}}, 7},
		{"one inside the other", [][2]time.Duration{{1, 9}, {2, 3}}, 8},
		{"overlapping, with a gap", [][2]time.Duration{{1, 4}, {2, 6}, {8, 9}, {8, 10}}, 7},
		{"the same time", [][2]time.Duration{{1, 5}, {1, 5}, {1, 5}}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := NewDevice("sda")
				a, b := NewStage("read", KindDeviceRead, 4), NewStage("write", KindDeviceWrite, 4)
				a.SetDevice(d)
				b.SetDevice(d)
				var wg sync.WaitGroup
				for i, c := range tt.calls {
					wg.Go(func() {
						time.Sleep(c[0] * time.Second)
						call := []*Stage{a, b}[i%2].Begin(BlkRead)
						time.Sleep((c[1] - c[0]) * time.Second)
						call.End()
					})
				}
				wg.Wait()
				if got := time.Duration(d.BusyNS()); got != tt.want*time.Second {
					t.Errorf("busy for %v, want %v", got, tt.want*time.Second)
				}
				if s := a.Snapshot(); s.Device != "sda" || a.Device() != d {
					t.Errorf("device %q", s.Device)
				}
			})
		})
	}
}

func TestADeviceIsBusyUpToNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDevice("pipe")
		d.enter()
		time.Sleep(time.Second)
		if got := d.BusyNS(); got != int64(time.Second) {
			t.Errorf("a call under way: %d ns", got)
		}
		d.leave()
	})
}

func TestWhatIsNilCountsNothing(t *testing.T) {
	var s *Stage
	var f *Flight
	s.SetDevice(NewDevice("sda"))
	s.SetDrag(1)
	s.SetSerial(true)
	s.Work().End()
	f.Leave(f.Enter())
	if s.Device() != nil || s.Device().Name() != "" || s.Device().BusyNS() != 0 || f.Stats() != (FlightSnapshot{}) {
		t.Error("something was counted")
	}
}

func TestLittlesLawHoldsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		f := new(Flight)
		var wg sync.WaitGroup
		var inside time.Duration
		for range 500 {
			from, stay := time.Duration(rng.IntN(1e9)), time.Duration(rng.IntN(1e8))
			inside += stay
			wg.Go(func() {
				time.Sleep(from)
				entered := f.Enter()
				time.Sleep(stay)
				f.Leave(entered)
			})
		}
		wg.Wait()
		s := f.Stats()
		if s.Entered != 500 || s.Left != 500 || math.Abs(s.MeanStayNS-float64(inside)/500) > 1 {
			t.Errorf("%+v, stays add up to %d", s, inside)
		}
		if got := float64(inside) / float64(s.SpanNS); math.Abs(got/s.MeanInside-1) > 1e-9 {
			t.Errorf("mean %v inside, want %v", s.MeanInside, got)
		}
		if r := s.LittleResidual(); math.Abs(r) > 1e-9 {
			t.Errorf("residual %v", r)
		}
	})
}

func TestThoseThatNeverLeaveShowInLittlesLaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(Flight)
		f.Enter() // a batch that is lost
		entered := f.Enter()
		time.Sleep(time.Second)
		f.Leave(entered)
		if r := f.Stats().LittleResidual(); r > -0.4 {
			t.Errorf("residual %v with one of two lost", r)
		}
	})
}

// spinCPU computes for d of the calling thread's CPU time.
func spinCPU(d time.Duration) {
	tid := threadID()
	for until := threadCPU(tid) + int64(d); threadCPU(tid) < until; {
	}
}

func needsThreadClock(t *testing.T) {
	t.Helper()
	if threadID() == 0 {
		t.Skip("no thread clock on this system")
	}
}

func TestDragMakesAStageThatMuchSlower(t *testing.T) {
	needsThreadClock(t)
	for _, share := range []float64{0, 0.5, 2} {
		s := NewStage("map", KindCPU, 1)
		s.SetDrag(share)
		inner := NewStage("deflate", KindCPU, 1) // on the same thread; nobody drags it
		w := s.Enter()
		for range 20 {
			spinCPU(time.Millisecond)
			in := inner.Enter()
			spinCPU(time.Millisecond)
			in.Exit()
			s.AddItems(1)
		}
		w.Exit()
		got, want := float64(s.Snapshot().CPUNS)/1e6, 20*(1+share)
		if got < 0.99*want || got > 1.15*want {
			t.Errorf("drag %v: %.2f ms, want %.2f", share, got, want)
		}
		if got := float64(inner.Snapshot().CPUNS) / 1e6; got > 24 {
			t.Errorf("drag %v: the stage inside took %.2f ms, want 20", share, got)
		}
	}
}

func TestDragLeavesDeviceCallsAlone(t *testing.T) {
	needsThreadClock(t)
	s, device := NewStage("sort", KindCPU, 1), NewStage("spill-write", KindDeviceWrite, 1)
	s.SetDrag(1)
	w := s.Enter()
	for range 10 {
		spinCPU(time.Millisecond)
		call := device.Begin(BlkWrite)
		spinCPU(3 * time.Millisecond) // stands for copying to the page cache
		call.End()
		s.AddItems(1)
	}
	w.Exit()
	if got := float64(s.Snapshot().CPUNS) / 1e6; got < 19 || got > 26 {
		t.Errorf("10 ms of work dragged by as much took %.2f ms", got)
	}
}

func TestUnboundIsWhatNoStageIsChargedFor(t *testing.T) {
	needsThreadClock(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tid := threadID()
	u := NewUnbound()
	var before time.Duration // what the thread did before the test
	look := func() time.Duration {
		u.See(tid, threadCPU(tid))
		return u.Done() - before
	}
	before = look()
	s, device := NewStage("map", KindCPU, 1), NewStage("read", KindDeviceRead, 1)

	spinCPU(10 * time.Millisecond) // nobody's
	near(t, "nobody's work", look(), 10*time.Millisecond)

	w := s.Enter()
	spinCPU(10 * time.Millisecond)
	during := look() // with a worker: not ours to count
	w.Exit()
	near(t, "a stage's work", during, 10*time.Millisecond)

	look() // the thread is free again from here on
	work := device.Work()
	spinCPU(10 * time.Millisecond)
	work.End()
	call := device.Begin(BlkRead)
	spinCPU(10 * time.Millisecond)
	call.End()
	near(t, "work charged on a free thread", look(), 10*time.Millisecond)
	snap := device.Snapshot()
	near(t, "work", time.Duration(snap.WorkNS), 10*time.Millisecond)
	near(t, "the call", time.Duration(snap.CPUNS), 10*time.Millisecond)
}

// near allows for what the test itself takes.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want-time.Millisecond || got > want+4*time.Millisecond {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
