package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

func TestBatchesAreCutByBasesAndTemplates(t *testing.T) {
	hundred := "@a\n" + strings.Repeat("A", 100) + "\n+\n" + strings.Repeat("I", 100) + "\n"
	huge := "@huge\n" + strings.Repeat("ACGT", 100_000) + "\n+\n" + strings.Repeat("IIII", 100_000) + "\n"
	for _, c := range []struct {
		name, text string
		bases      int
		want       []int
	}{
		{"five reads of a hundred bases", strings.Repeat(hundred, 5), 200, []int{2, 2, 1}},
		{"one more template than fits", strings.Repeat(hundred, 3), 101, []int{2, 1}},
		{"batches of one", recs("a b c"), 1, []int{1, 1, 1}},
		{"empty reads, by their number", strings.Repeat("@a\n\n+\n\n", 5), 64, []int{2, 2, 1}},
		{"long names, by their bytes", strings.Repeat("@"+strings.Repeat("n", 250)+"\nA\n+\nI\n", 5), 100, []int{2, 2, 1}},
		{"a huge read among others", recs("a") + huge + recs("b c"), 1000, []int{2, 2}},
	} {
		cfg := from(c.text)
		cfg.BatchBases = c.bases
		if res := run(t, cfg); res.err != nil || fmt.Sprint(res.borders) != fmt.Sprint(c.want) {
			t.Errorf("%s: batches of %v, %v, want %v", c.name, res.borders, res.err, c.want)
		}
	}
	cfg := pairOf(t, recs("a b c"), recs("a b c"))
	cfg.BatchBases = 4
	if res := run(t, cfg); fmt.Sprint(res.borders) != "[1 1 1]" {
		t.Errorf("pairs: batches of %v", res.borders)
	}
}

func TestHugeReadIsGivenUpOnRelease(t *testing.T) {
	free := make(chan *Batch, 1)
	b := &Batch{limit: limitsOf(1000), free: free}
	b.extend(1 << 20)
	b.Release()
	if b := <-free; cap(b.data) > 2*b.limit.bytes {
		t.Errorf("the batch keeps %d bytes", cap(b.data))
	}
}

func TestMemoryBound(t *testing.T) {
	small := Config{Paths: []string{"-"}, BatchBases: 1 << 16, InFlight: 2}
	more := small
	more.InFlight = 4
	if a, b := small.MemoryBound(), more.MemoryBound(); a <= 0 || b <= a || a > 16<<20 {
		t.Errorf("bounds %d and %d", a, b)
	}
	r, err := Open(t.Context(), Config{Paths: []string{"-"}, Stdin: strings.NewReader(""), BatchBases: 1 << 16, InFlight: 2})
	if err != nil || r.MemoryBound() != small.MemoryBound() {
		t.Errorf("%v, %d", err, r.MemoryBound())
	}
	r.Close()
}

func TestRunWaitsForReleaseAndStops(t *testing.T) {
	checkGoroutines(t)
	ctx, cancel := context.WithCancel(t.Context())
	cfg := from(records(3000, 0))
	cfg.BatchBases, cfg.InFlight = 100, 2
	r, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	out := meter.NewQueue[*Batch](10, nil, nil)
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx, out) }()
	a, _, _ := out.Recv(ctx)
	b, _, _ := out.Recv(ctx)
	select {
	case err := <-ran:
		t.Fatalf("Run ended: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if out.Len() != 0 {
		t.Errorf("%d batches more than InFlight", out.Len())
	}
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	r.Close()
	a.Release() // after Close too
	b.Release()
}

func TestCloseWithASilentFifo(t *testing.T) {
	checkGoroutines(t)
	fifo := filepath.Join(t.TempDir(), "r.fq")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	writer := make(chan vfs.File, 1)
	go func() {
		w, _ := vfs.OS.OpenStream(fifo)
		writer <- w
	}()
	r, err := Open(t.Context(), Config{FS: vfs.OS, Paths: []string{fifo}})
	if err != nil {
		t.Fatal(err)
	}
	w := <-writer
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.Run(ctx, meter.NewQueue[*Batch](1, nil, nil)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run = %v", err)
	}
	start := time.Now()
	if err := r.Close(); err != nil || time.Since(start) > time.Second {
		t.Errorf("Close = %v after %v", err, time.Since(start))
	}
}

func TestCloseWithASilentPipe(t *testing.T) {
	checkGoroutines(t)
	in, w := io.Pipe() // like a terminal: closing our side does not wake the read
	r, err := Open(t.Context(), Config{Paths: []string{"-"}, Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := r.Close(); err != nil || time.Since(start) > time.Second {
		t.Errorf("Close = %v after %v", err, time.Since(start))
	}
	w.Close()
}

func TestOpenRefuses(t *testing.T) {
	checkGoroutines(t)
	missing := filepath.Join(t.TempDir(), "missing.fq")
	for name, cfg := range map[string]Config{
		"no file":          {},
		"three files":      {FS: vfs.OS, Paths: []string{"a", "b", "c"}},
		"stdin twice":      {Paths: []string{"-", "-"}, Stdin: strings.NewReader("")},
		"no stdin":         {Paths: []string{"-"}},
		"interleaved two":  {FS: vfs.OS, Paths: []string{"a", "b"}, Interleaved: true},
		"no file system":   {Paths: []string{"a"}},
		"a missing file":   {FS: vfs.OS, Paths: []string{missing}},
		"a missing second": {FS: vfs.OS, Paths: []string{"-", missing}, Stdin: strings.NewReader("")},
	} {
		r, err := Open(t.Context(), cfg)
		if err == nil || errors.Is(err, ErrInput) || strings.Contains(name, "missing") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if r != nil {
			r.Close()
		}
	}
}

// loop gives the same text for ever.
type loop struct {
	text string
	at   int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.text[l.at:])
	l.at = (l.at + n) % len(l.text)
	return n, nil
}

// endless starts a reader of endless input.
func endless(t testing.TB, text string, batchBases int) (next func() *Batch) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Open(ctx, Config{Paths: []string{"-"}, Stdin: &loop{text: text}, BatchBases: batchBases, InFlight: 3})
	if err != nil {
		t.Fatal(err)
	}
	out := meter.NewQueue[*Batch](1, nil, nil)
	ran := make(chan struct{})
	go func() { r.Run(ctx, out); close(ran) }()
	t.Cleanup(func() { cancel(); <-ran; r.Close() })
	return func() *Batch {
		b, _, _ := out.Recv(ctx)
		return b
	}
}

func TestNoAllocationPerRecord(t *testing.T) {
	for name, text := range map[string]string{
		"four lines":       records(1000, 0),
		"CRLF and wrapped": strings.Repeat("@a b\r\nACGTACGT\r\nACGT\r\n+a b\r\n@III\r\nIIIIIIII\r\n", 500),
	} {
		next := endless(t, text, 1<<16)
		for range 20 {
			next().Release()
		}
		reads := 0
		allocs := testing.AllocsPerRun(5, func() {
			b := next()
			reads = len(b.Reads)
			b.Release()
		})
		if allocs > float64(reads)/100 {
			t.Errorf("%s: %v allocations per batch of %d reads", name, allocs, reads)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	text := records(20000, 0)
	for name, in := range map[string]string{"plain": text, "gzip": gzipped(text, len(text)), "BGZF": bgzipped(text, 65280)} {
		b.Run("format="+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := Open(context.Background(), Config{Paths: []string{"-"}, Stdin: strings.NewReader(in), InflateWorkers: 2})
				if err != nil {
					b.Fatal(err)
				}
				out := meter.NewQueue[*Batch](4, nil, nil)
				go func() { r.Run(context.Background(), out); out.Close() }()
				for batch, ok, _ := out.Recv(context.Background()); ok; batch, ok, _ = out.Recv(context.Background()) {
					batch.Release()
				}
				r.Close()
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := strings.Repeat("@A00123:45:HXYZ:1:1101:1234:5678 1:N:0:ACGT\n"+strings.Repeat("ACGTT", 30)+"\n+\n"+strings.Repeat("FFF:,", 30)+"\n", 3000)
	next := endless(b, text, 0)
	b.ReportAllocs()
	reads, bytes := 0, int64(len(text)/3000)
	for b.Loop() {
		batch := next()
		reads = len(batch.Reads)
		batch.Release()
	}
	b.SetBytes(bytes * int64(reads))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*reads), "ns/read")
}

// TestSetInFlightBoundsTheBatchesInUse changes the limit while reads come, in both directions.
func TestSetInFlightBoundsTheBatchesInUse(t *testing.T) {
	const most = 8
	ctx := t.Context()
	cfg := from(records(4000, 0))
	cfg.BatchBases, cfg.InFlight, cfg.Flight = 400, most, new(meter.Flight)
	r, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.SetInFlight(3)
	out := meter.NewQueue[*Batch](most, nil, nil)
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx, out); out.Close() }()
	var held []*Batch
	// fill takes all that come without a release.
	fill := func() {
		for {
			wait, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			b, ok, err := out.Recv(wait)
			cancel()
			if err != nil || !ok {
				return
			}
			held = append(held, b)
		}
	}
	release := func() {
		held[0].Release()
		held = held[1:]
	}
	for _, limit := range []int{3, 5, 1, 2, 1000, 0, 4} {
		r.SetInFlight(limit)
		want := max(1, min(limit, most))
		for more := true; more && len(held) > 0; more = len(held) >= want { // what is in use stays so, and more come, from a release on
			release()
		}
		fill()
		if len(held) != want {
			t.Errorf("limit %d: %d batches in use, want %d", limit, len(held), want)
		}
	}
	for _, b := range held {
		b.Release()
	}
	var reads int64
	for b, ok, _ := out.Recv(ctx); ok; b, ok, _ = out.Recv(ctx) {
		reads = b.First + int64(len(b.Reads))
		b.Release()
	}
	if err := <-ran; err != nil || reads != 4000 {
		t.Errorf("%d reads, %v", reads, err)
	}
	if s := cfg.Flight.Stats(); meter.Enabled && (s.Entered != s.Left || s.Left == 0) {
		t.Errorf("in flight: %+v", s)
	}
}
