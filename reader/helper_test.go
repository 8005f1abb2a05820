package reader

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/readsum"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// result is what a run of a Reader gave.
type result struct {
	reads   []string // name|comment|sequence|quality
	borders []int    // templates per batch
	sum     readsum.Sum
	skipped int64
	skips   []string
	err     error
}

// run reads the whole input of cfg and releases every batch at once.
func run(t testing.TB, cfg Config) result {
	t.Helper()
	var res result
	cfg.OnSkip = func(err error) { res.skips = append(res.skips, err.Error()) }
	ctx := context.Background()
	r, err := Open(ctx, cfg)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	out := meter.NewQueue[*Batch](2, nil, nil)
	ran := make(chan error, 1)
	go func() {
		ran <- r.Run(ctx, out)
		out.Close()
	}()
	for {
		b, ok, _ := out.Recv(ctx)
		if !ok {
			break
		}
		if want := int64(len(res.borders)); b.Ordinal != want {
			t.Errorf("batch %d has ordinal %d", want, b.Ordinal)
		}
		res.borders = append(res.borders, b.Templates())
		for _, x := range b.Reads {
			res.reads = append(res.reads, fmt.Sprintf("%s|%s|%s|%s", x.Name, x.Comment, x.Seq, x.Qual))
		}
		b.Release()
	}
	res.err = <-ran
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	res.sum, res.skipped = r.Sum(), r.Skipped()
	return res
}

// from is the configuration that reads one text.
func from(text string) Config {
	return Config{Paths: []string{"-"}, Stdin: strings.NewReader(text)}
}

// pairOf is the configuration that reads two texts as files of mates.
func pairOf(t testing.TB, r1, r2 string) Config {
	t.Helper()
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "r1.fq"), filepath.Join(dir, "r2.fq")}
	for i, text := range []string{r1, r2} {
		if err := os.WriteFile(paths[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{FS: vfs.OS, Paths: paths}
}

// records makes n records with lengths around 40.
func records(n, seed int) string {
	var b strings.Builder
	state := uint32(seed + 1)
	next := func(n int) int {
		state = state*1664525 + 1013904223
		return int(state>>8) % n
	}
	for i := range n {
		fmt.Fprintf(&b, "@read%d/%d x:%d\n", i, seed+1, i)
		length := 20 + next(40)
		for range length {
			b.WriteByte("ACGTN"[next(5)])
		}
		b.WriteString("\n+\n")
		for range length {
			b.WriteByte(byte('!' + next(94)))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// gzipped compresses text as members of at most size bytes.
func gzipped(text string, size int) string {
	var b bytes.Buffer
	for first := true; first || text != ""; first = false {
		n := min(size, len(text))
		w := gzip.NewWriter(&b)
		io.WriteString(w, text[:n])
		w.Close()
		text = text[n:]
	}
	return b.String()
}

// bgzipped compresses text as BGZF blocks of at most size bytes, with the end-of-file block.
func bgzipped(text string, size int) string {
	var b bytes.Buffer
	for text != "" {
		n := min(size, len(text))
		b.WriteString(bgzfBlock(text[:n]))
		text = text[n:]
	}
	return b.String() + "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00BC\x02\x00\x1b\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"
}

func bgzfBlock(text string) string {
	var z bytes.Buffer
	w, _ := flate.NewWriter(&z, 1)
	io.WriteString(w, text)
	w.Close()
	head := []byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00BC\x02\x00\x00\x00")
	binary.LittleEndian.PutUint16(head[16:], uint16(len(head)+z.Len()+8-1))
	tail := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	tail = binary.LittleEndian.AppendUint32(tail, uint32(len(text)))
	return string(head) + z.String() + string(tail)
}

// checkGoroutines fails the test when it leaves goroutines behind.
func checkGoroutines(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 100 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
	})
}
