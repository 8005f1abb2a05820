package vfs_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/internal/vfs/faultfs"
)

// rangeContent differs at every offset that a slip of the code could mistake for another.
func rangeContent(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 ^ i>>8 ^ i>>16)
	}
	return b
}

func TestCopyRangeAppendsExactlyTheRange(t *testing.T) {
	dir, content := t.TempDir(), rangeContent(700_001)
	path := filepath.Join(dir, "src")
	must(t, os.WriteFile(path, content, 0o600))
	ranges := [][2]int64{{0, 0}, {0, 1}, {5, 4096}, {4096, 4096}, {1, 700_000}, {699_999, 2}, {700_001, 0}, {262_144, 262_145}}
	for name, fsys := range map[string]vfs.FS{"files of this machine": vfs.OS, "files under test": faultfs.New(vfs.OS, nil)} {
		t.Run(name, func(t *testing.T) {
			src, err := fsys.Open(path)
			must(t, err)
			defer src.Close()
			a, err := vfs.CreateAtomic(fsys, filepath.Join(dir, "dst"))
			must(t, err)
			var stream bytes.Buffer
			want := []byte("head")
			for _, dst := range []io.Writer{a, &stream} {
				_, err = dst.Write([]byte("head"))
				must(t, err)
			}
			for _, r := range ranges {
				must(t, vfs.CopyRange(a, src, r[0], r[1]))
				must(t, vfs.CopyRange(&stream, src, r[0], r[1]))
				want = append(want, content[r[0]:r[0]+r[1]]...)
			}
			_, err = a.Write([]byte("tail"))
			must(t, err)
			must(t, vfs.Commit(a))
			got, err := os.ReadFile(filepath.Join(dir, "dst"))
			must(t, err)
			if !bytes.Equal(got, append(want, "tail"...)) {
				t.Error("the file differs")
			}
			if !bytes.Equal(stream.Bytes(), want) {
				t.Error("the stream differs")
			}
		})
	}
}

func TestCopyRangeReportsWhatWentWrong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "src")
	must(t, os.WriteFile(path, rangeContent(100), 0o600))
	for _, c := range []struct {
		name  string
		n     int64
		fault error
		want  error
	}{
		{"a source that ends early", 101, nil, io.ErrUnexpectedEOF},
		{"a full disk", 100, syscall.ENOSPC, syscall.ENOSPC},
		{"a disk that fills on the way", 100, faultfs.Short(60, syscall.ENOSPC), syscall.ENOSPC},
		{"a copy that stops", 100, faultfs.Short(60, nil), io.ErrShortWrite},
		{"a lost answer", 100, faultfs.After(syscall.EIO), syscall.EIO},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := faultfs.New(vfs.OS, func(op faultfs.Op) error {
				if op.Kind == "copy" {
					return c.fault
				}
				return nil
			})
			src, err := fsys.Open(path)
			must(t, err)
			defer src.Close()
			a, err := vfs.CreateAtomic(fsys, filepath.Join(dir, "dst"))
			must(t, err)
			if err := vfs.CopyRange(a, src, 0, c.n); !errors.Is(err, c.want) {
				t.Errorf("CopyRange = %v, want %v", err, c.want)
			}
			if err := vfs.Commit(a); !errors.Is(err, c.want) {
				t.Errorf("Commit = %v, want %v", err, c.want)
			}
			if len(tempsIn(t, dir)) > 0 {
				t.Error("a temporary file is left")
			}
		})
	}
}
