//go:build !nometer

package meter

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// spin computes for d of wall time.
func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

func TestNilStageRecordsNothing(t *testing.T) {
	var s *Stage
	w := s.Enter()
	s.AddItems(1)
	s.AddBytesIn(1)
	s.AddBytesOut(1)
	s.AddWait(WaitIn, time.Second)
	s.SetWorkers(3)
	s.Begin(BlkRead).End()
	w.Exit()
	if got := s.Snapshot(); got != (Snapshot{}) || s.Name() != "" {
		t.Errorf("snapshot of nil = %+v", got)
	}
	got, err := io.ReadAll(NewReader(strings.NewReader("reads"), nil))
	if string(got) != "reads" || err != nil {
		t.Errorf("reading through a nil stage: %q, %v", got, err)
	}
}

func TestLifetimeIsBusyPlusWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStage("write", KindDeviceWrite, 2)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				defer s.Enter().Exit()
				time.Sleep(3 * time.Second) // stands for work
				call := s.Begin(BlkWrite)
				time.Sleep(2 * time.Second)
				call.End()
				s.AddWait(WaitIn, 0)
			})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if live := s.Snapshot(); live.LifetimeNS != int64(2*time.Second) {
			t.Errorf("after 1 s of two workers the lifetime is %d ns", live.LifetimeNS)
		}
		wg.Wait()
		got := s.Snapshot()
		if got.LifetimeNS != int64(10*time.Second) || got.BlockedNS() != int64(4*time.Second) || got.BusyNS() != int64(6*time.Second) {
			t.Errorf("lifetime %d, blocked %d, busy %d ns", got.LifetimeNS, got.BlockedNS(), got.BusyNS())
		}
		if got.Calls != 2 {
			t.Errorf("%d calls, want 2", got.Calls)
		}
	})
}

func TestNestedWorkStopsTheOuterClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mapping, sorting := NewStage("map", KindCPU, 1), NewStage("sort", KindCPU, 1)
		spill, file := NewStage("spill-write", KindDeviceWrite, 1), NewStage("sync", KindSync, 1)
		m := mapping.Enter()
		time.Sleep(time.Second)
		so := sorting.Enter()
		time.Sleep(2 * time.Second)
		sp := spill.Enter() // entered explicitly
		call := spill.Begin(BlkWrite)
		time.Sleep(3 * time.Second)
		call.End()
		sp.Exit()
		sync := file.Begin(BlkSync) // only called into
		time.Sleep(4 * time.Second)
		sync.End()
		so.Exit()
		time.Sleep(5 * time.Second)
		m.Exit()
		for _, tt := range []struct {
			s    *Stage
			want time.Duration
		}{{mapping, 6 * time.Second}, {sorting, 2 * time.Second}, {spill, 3 * time.Second}, {file, 4 * time.Second}} {
			snap := tt.s.Snapshot()
			if got := time.Duration(snap.LifetimeNS); got != tt.want {
				t.Errorf("%s: lifetime %v, want %v", tt.s.Name(), got, tt.want)
			}
			if tt.s.kind != KindCPU && snap.BusyNS() != 0 {
				t.Errorf("%s: busy %d ns, want none: all its time was in the call", tt.s.Name(), snap.BusyNS())
			}
		}
	})
}

func TestCPUTimeGoesToTheStageThatComputes(t *testing.T) {
	if threadID() == 0 {
		t.Skip("no thread clock on this system")
	}
	mapping, sorting := NewStage("map", KindCPU, 1), NewStage("sort", KindCPU, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m := mapping.Enter()
		defer m.Exit()
		time.Sleep(20 * time.Millisecond) // not on a CPU
		s := sorting.Enter()
		spin(30 * time.Millisecond)
		s.Exit()
	}()
	<-done
	m, s := mapping.Snapshot(), sorting.Snapshot()
	if m.CPUNS <= 0 || m.CPUNS > m.LifetimeNS/2 {
		t.Errorf("map slept: %d ns of CPU in %d ns", m.CPUNS, m.LifetimeNS)
	}
	if s.CPUNS <= m.CPUNS || s.CPUNS > s.LifetimeNS+int64(5*time.Millisecond) {
		t.Errorf("sort computed: %d ns of CPU in %d ns", s.CPUNS, s.LifetimeNS)
	}
	if n := len(mapping.active) + len(sorting.active); n != 0 {
		t.Errorf("%d workers left behind", n)
	}
}

func TestSnapshotsWhileWorkersRun(t *testing.T) {
	s := NewStage("map", KindCPU, 4)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				w := s.Enter()
				s.AddItems(1)
				s.Begin(BlkRead).End()
				w.Exit()
				runtime.Gosched()
			}
		})
	}
	go func() { wg.Wait(); close(stop) }()
	var last Snapshot
	for running := true; running; {
		select {
		case <-stop:
			running = false
		default:
		}
		now := s.Snapshot()
		if d := now.Sub(last); d.Items < 0 || d.LifetimeNS < 0 {
			t.Fatalf("counters went back: %+v", d)
		}
		last = now
	}
	if last.Items != 200 || last.Calls != 200 {
		t.Errorf("%d items, %d calls, want 200 each", last.Items, last.Calls)
	}
}

func TestWrappersCountAndPassOn(t *testing.T) {
	s := NewStage("read", KindDeviceRead, 1)
	data := strings.Repeat("ACGT", 1000)
	if err := iotest.TestReader(NewReader(strings.NewReader(data), nil), []byte(data)); err != nil {
		t.Error(err)
	}
	if n, err := io.Copy(io.Discard, NewReader(iotest.HalfReader(strings.NewReader(data)), s)); n != 4000 || err != nil {
		t.Errorf("copied %d, %v", n, err)
	}
	p := make([]byte, 8)
	if n, err := NewReaderAt(strings.NewReader(data), s).ReadAt(p, 3996); n != 4 || err != io.EOF {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
	if got := s.Snapshot(); got.BytesIn != 4004 || got.Calls < 2 || got.BlockedNS() <= 0 {
		t.Errorf("bytes in %d, calls %d, blocked %d ns", got.BytesIn, got.Calls, got.BlockedNS())
	}

	bad := errors.New("disk full")
	out := NewStage("write", KindDeviceWrite, 1)
	if _, err := NewWriter(failing{bad}, out).Write(p); !errors.Is(err, bad) {
		t.Errorf("Write = %v, want the inner error", err)
	}
	var buf bytes.Buffer
	if n, err := NewWriter(&buf, out).Write(p); n != 8 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	if got := out.Snapshot(); got.BytesOut != 8 || got.Calls != 2 {
		t.Errorf("bytes out %d, calls %d", got.BytesOut, got.Calls)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestSetNamesEveryStageOnce(t *testing.T) {
	set := NewSet(SetConfig{MapWorkers: 7, InputPipe: true})
	seen := map[string]bool{}
	for _, s := range append(set.Stream(), set.Final()...) {
		if seen[s.Name()] || s.Snapshot().Workers < 1 {
			t.Errorf("stage %q twice, or without a worker", s.Name())
		}
		seen[s.Name()] = true
	}
	if len(seen) != 14 || set.Map.workers != 7 || set.Read.kind != KindPipeRead || set.Write.kind != KindDeviceWrite {
		t.Errorf("%d stages: %+v", len(seen), Snapshots(set.Read, set.Map, set.Write))
	}
}

// BenchmarkCall is the price of metering one device call.
func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	s := NewStage("write", KindDeviceWrite, 1)
	for b.Loop() {
		s.Begin(BlkWrite).End()
	}
}

func BenchmarkEnterExit(b *testing.B) {
	b.ReportAllocs()
	s := NewStage("map", KindCPU, 1)
	for b.Loop() {
		s.Enter().Exit()
	}
}

// A call that lasts over the end of a phase belongs to the device in both, and to the stage around it in neither.
func TestACallOverTheEndOfAPhase(t *testing.T) {
	if !Enabled {
		t.Skip("nothing is measured in this build")
	}
	outer, device := NewStage("sort", KindCPU, 1), NewStage("spill-write", KindDeviceWrite, 1)
	w := outer.Enter()
	call := device.Begin(BlkWrite)
	time.Sleep(20 * time.Millisecond)
	first, firstOuter := device.Snapshot(), outer.Snapshot()
	time.Sleep(20 * time.Millisecond)
	call.End()
	last, lastOuter := device.Snapshot().Sub(first), outer.Snapshot().Sub(firstOuter)
	w.Exit()
	for name, s := range map[string]Snapshot{"before": first, "after": last} {
		if ms := s.WaitNS[BlkWrite] / 1e6; ms < 19 || s.LifetimeNS < s.WaitNS[BlkWrite] {
			t.Errorf("%s: %d ms in the call, lifetime %d ns", name, ms, s.LifetimeNS)
		}
	}
	if lastOuter.LifetimeNS < 0 || lastOuter.LifetimeNS > 15e6 || firstOuter.LifetimeNS > 15e6 {
		t.Errorf("the stage around it had %d and %d ns", firstOuter.LifetimeNS, lastOuter.LifetimeNS)
	}
}
