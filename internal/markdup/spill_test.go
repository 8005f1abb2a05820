package markdup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// faulty spills from the mapping and from Decide.
func faulty(t *testing.T, fsys vfs.FS, dir string, records []record) (*Marker, error) {
	m, err := newMarker(Config{FS: fsys, Dir: dir, Workers: 2, MemBytes: tiny.minMem(2)}, tiny)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decideWith(m, records)
	if err == nil {
		err = d.Close()
	}
	return m, err
}

func isFault(err error) bool {
	return errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ENOSPC)
}

func TestEveryOperationFailedOnce(t *testing.T) {
	records := encode(0, crowd{seed: 3, templates: 1000, refs: 1, span: 60, quals: "5I", single: .3}.make())
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, faultfs.Short(7, syscall.ENOSPC), faultfs.After(syscall.EIO)} {
		kinds := map[string]int{}
		for index, hit := 0, true; hit; index += 1 + index/20 {
			hit = false
			dir := t.TempDir()
			fsys := faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if op.Index != index {
					return nil
				}
				hit = true
				kinds[op.Kind]++
				return fault
			})
			m, err := faulty(t, fsys, dir, records)
			cerr := m.Close()
			if hit != (isFault(err) || isFault(cerr)) || !hit && (err != nil || cerr != nil) {
				t.Errorf("operation %d, %v, met %t: errors %v and %v", index, fault, hit, err, cerr)
			}
		}
		for _, kind := range []string{"create", "write", "read"} {
			if kinds[kind] == 0 {
				t.Errorf("no %s was failed: %v", kind, kinds)
			}
		}
	}
}

// TestADamagedFileIsAnError changes every byte of a file, and cuts it at every length.
func TestADamagedFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	m, err := newMarker(Config{FS: vfs.OS, Dir: dir, Workers: 1, MemBytes: tiny.minMem(1)}, tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx := context.Background()
	for _, r := range encode(0, crowd{seed: 3, templates: 12, refs: 1, span: 60, quals: "5I", single: .3}.make()) {
		if err := m.Writer(0).Add(ctx, r.ord, r.data); err != nil {
			t.Fatal(err)
		}
	}
	s := m.Writer(0).store
	if err := s.spill(ctx); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "signatures-000")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := readAll(ctx, s); err != nil {
		t.Fatalf("the whole file: %v", err)
	}
	for at := range whole {
		whole[at] ^= 0x40
		writeOver(t, path, whole)
		if err := readAll(ctx, s); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("byte %d changed: %v", at, err)
		}
		whole[at] ^= 0x40
	}
	for n := range whole {
		writeOver(t, path, whole[:n])
		if err := readAll(ctx, s); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func writeOver(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func readAll(ctx context.Context, s *store) error {
	frame := make([]byte, frameHeader+tiny.frame)
	for p := range 2 * tiny.parts {
		if err := s.eachSpilled(ctx, &s.runs[0], p, frame, func(signature) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// TestFramesOfAnotherPlaceAreRefused holds what a sum cannot: a frame that was whole once.
func TestFramesOfAnotherPlaceAreRefused(t *testing.T) {
	frame := make([]byte, frameHeader+endSize)
	putHeader(frame, 3, 5)
	if body, err := openFrame(frame, 3, 5); err != nil || len(body) != endSize {
		t.Errorf("the frame itself: %d bytes, %v", len(body), err)
	}
	if _, err := openFrame(frame, 4, 5); err == nil {
		t.Error("frame 3 passes for frame 4")
	}
	if _, err := openFrame(frame, 3, 6); err == nil {
		t.Error("partition 5 passes for partition 6")
	}
}
