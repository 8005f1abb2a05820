package vfs

import (
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// owed asks cachestat(2) for the bytes of a file that are not yet on its device.
func owed(t *testing.T, fd uintptr) int64 {
	t.Helper()
	all := struct{ off, len uint64 }{}
	var got struct{ cached, dirty, writeback, evicted, recentlyEvicted uint64 }
	if _, _, errno := unix.Syscall6(451, fd, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&got)), 0, 0, 0); errno != 0 {
		t.Skip("no cachestat: ", errno)
	}
	if got.cached == 0 {
		t.Skip("this file system does not tell what of a file is in memory")
	}
	return int64(got.dirty+got.writeback) * int64(os.Getpagesize())
}

func TestALargeOutputOwesLittleBeforeItsSync(t *testing.T) {
	const pieces, piece = 40, 4 << 20
	for name, write := range map[string]func(*Atomic, []byte, int) error{
		"Write":   func(a *Atomic, p []byte, _ int) error { _, err := a.Write(p); return err },
		"WriteAt": func(a *Atomic, p []byte, i int) error { _, err := a.WriteAt(p, int64(i)*piece); return err },
	} {
		t.Run(name, func(t *testing.T) {
			a, err := CreateAtomic(OS, filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer a.Abort()
			p := make([]byte, piece)
			for i := range pieces {
				p[0] = byte(i)
				if err := write(a, p, i); err != nil {
					t.Fatal(err)
				}
			}
			if debt := owed(t, a.Fd()); debt > 4*behindStep {
				t.Errorf("%d MiB of %d are not yet on the device", debt>>20, pieces*piece>>20)
			}
		})
	}
}

func TestWritingBackWhatCannotBe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := writeBack(w.Fd(), 0, 100); err != nil {
		t.Errorf("a pipe: %v", err)
	}
	if err := awaitBack(NoFd, 0, 100); err != nil {
		t.Errorf("no descriptor: %v", err)
	}
	fd := w.Fd()
	w.Close()
	if err := writeBack(fd, 0, 100); err == nil {
		t.Error("a closed descriptor was written back")
	}
}
