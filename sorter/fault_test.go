package sorter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// faulty is a workload that meets every kind of operation: spills, records in body frames, and
// intermediate merges that read, write and remove runs.
func faulty(t *testing.T, fsys vfs.FS, items, want []item) (*Sorter, error) {
	tune := tiny
	tune.files = 3
	s, err := newSorter(Config{FS: fsys, Dir: t.TempDir(), Workers: 2, MemBytes: tune.minMem(2)}, tune)
	if err != nil {
		t.Fatal(err)
	}
	return s, sortAll(s, items, want)
}

// TestEveryOperationFailedOnce fails one operation after the other. Workers and loaders run
// at once, so an index does not always meet the same operation; all indices are tried.
func TestEveryOperationFailedOnce(t *testing.T) {
	items := makeItems(11, 300)
	want := inOrder(items)
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, faultfs.Short(7, syscall.ENOSPC), faultfs.After(syscall.EIO)} {
		kinds := map[string]int{}
		for index, hit := 0, true; hit; index++ {
			hit = false
			var failed faultfs.Op
			fsys := faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if op.Index != index {
					return nil
				}
				hit = true
				kinds[op.Kind]++
				failed = op
				return fault
			})
			s, err := faulty(t, fsys, items, want)
			cerr := s.Close()
			switch {
			case !hit && (err != nil || cerr != nil):
				t.Fatalf("without a fault: %v, %v", err, cerr)
			case hit && !isFault(err) && !isFault(cerr):
				t.Errorf("%+v, %v: errors %v and %v", failed, fault, err, cerr)
			}
			if err := s.Close(); err != nil {
				t.Errorf("operation %d, %v: Close again: %v", index, fault, err)
			}
			checkClean(t, s)
		}
		for _, kind := range []string{"create", "write", "close", "open", "read", "remove"} {
			if kinds[kind] == 0 {
				t.Errorf("no %s was failed: %v", kind, kinds)
			}
		}
	}
	checkGoroutines(t)
}

func isFault(err error) bool {
	return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOSPC)
}

// TestBrokenDisk has everything fail from one operation on, except that files can be removed.
func TestBrokenDisk(t *testing.T) {
	items := makeItems(12, 1_200)
	want := inOrder(items)
	for index, hit := 0, true; hit; index += 13 {
		hit = false
		s, err := faulty(t, faultfs.New(vfs.OS, func(op faultfs.Op) error {
			if op.Index < index || op.Kind == "remove" {
				return nil
			}
			hit = true
			return syscall.EIO
		}), items, want)
		if cerr := s.Close(); cerr != nil && !isFault(cerr) { // and stops the loaders, which set hit
			t.Errorf("from operation %d: Close: %v", index, cerr)
		}
		if hit != errors.Is(err, syscall.EIO) {
			t.Errorf("from operation %d: %v", index, err)
		}
		checkClean(t, s)
	}
	checkGoroutines(t)
}

// spilled returns a sorter with one run, which has records in frames and in body frames, and
// the run's path. Nothing is left in its slab.
func spilled(t *testing.T, items []item) (*Sorter, string) {
	s := newTest(t, Config{MemBytes: 20 * tiny.minMem(1)}, tiny)
	if err := addAll(s, items); err != nil {
		t.Fatal(err)
	}
	if err := spillNow(s.Slab(0)); err != nil {
		t.Fatal(err)
	}
	return s, filepath.Join(s.cfg.Dir, "run-000000")
}

// spillNow writes the buffer in use as a run.
func spillNow(sl *Slab) error {
	err := sl.await(context.Background(), nil)
	sl.spill(sl.buffers[sl.cur])
	return errors.Join(err, sl.await(context.Background(), nil))
}

// TestADamagedRunIsAnError changes every byte of a run, and cuts it at many lengths.
func TestADamagedRunIsAnError(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 13))
	items := makeItems(13, 12)
	items[7].rec = makeRec(rng, tiny.frame+200)
	want := inOrder(items)
	_, path := spilled(t, items)
	size := len(mustRead(t, path))
	for at := range size {
		for _, cut := range []bool{false, true} {
			if cut && at%5 > 0 {
				continue
			}
			s, path := spilled(t, items)
			data := mustRead(t, path)
			if len(data) != size {
				t.Fatalf("%d bytes, were %d", len(data), size)
			}
			data[at] ^= 1 << rng.IntN(8)
			if cut {
				data = data[:at]
			}
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := s.Merge(context.Background())
			if err == nil {
				err = drain(m, want)
			}
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("byte %d of %d, cut=%v: %v", at, size, cut, err)
			}
			s.Close()
		}
	}
	checkGoroutines(t)
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestAnotherRunInItsPlaceIsAnError swaps runs that are whole by themselves, and their frames.
func TestAnotherRunInItsPlaceIsAnError(t *testing.T) {
	items := makeItems(14, 40)
	other, otherPath := spilled(t, items)
	if err := other.spillMore(items); err != nil {
		t.Fatal(err)
	}
	second := mustRead(t, filepath.Join(filepath.Dir(otherPath), "run-000001"))
	for name, damage := range map[string]func(run []byte) []byte{
		"another run":               func([]byte) []byte { return second },
		"another run but the start": func(run []byte) []byte { return append(run[:fileHeader:fileHeader], second[fileHeader:]...) },
		"a frame left out": func(run []byte) []byte {
			return append(run[:fileHeader:fileHeader], run[nextFrame(run, fileHeader):]...)
		},
		"a frame twice": func(run []byte) []byte {
			return append(run[:nextFrame(run, fileHeader):nextFrame(run, fileHeader)], run[fileHeader:]...)
		},
		"no frames": func(run []byte) []byte { return run[:fileHeader] },
		"empty":     func([]byte) []byte { return nil },
	} {
		s, path := spilled(t, items)
		if err := os.WriteFile(path, damage(mustRead(t, path)), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := s.Merge(context.Background())
		for err == nil {
			_, err = m.Next()
		}
		if err == io.EOF || !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// spillMore writes items as one more run.
func (s *Sorter) spillMore(items []item) error {
	for _, it := range items {
		if err := s.Slab(0).Add(context.Background(), it.key, it.ord+1<<20, it.rec); err != nil {
			return err
		}
	}
	return spillNow(s.Slab(0))
}

// nextFrame returns where the frame after the one at an offset begins.
func nextFrame(run []byte, at int) int {
	h := frameInfo{stored: uint32(run[at+8]) | uint32(run[at+9])<<8}
	return at + frameHeader + int(h.stored)
}

// TestFrameEdges fills frames to the last byte, and one less and more.
func TestFrameEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 15))
	for _, first := range []int{4, 100, tiny.frame - 2*plainFixed - 4, tiny.frame - plainFixed} {
		for delta := -2; delta <= 2; delta++ {
			rest := tiny.frame - first - 2*plainFixed + delta
			if rest < 4 {
				rest = 4
			}
			t.Run(fmt.Sprintf("first=%d,rest=%d", first, rest), func(t *testing.T) {
				items := []item{{1, 1, makeRec(rng, first)}, {1, 2, makeRec(rng, rest)}, {1, 3, makeRec(rng, 4)}}
				s, _ := spilled(t, items)
				m, err := s.Merge(context.Background())
				if err == nil {
					err = drain(m, items)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}
