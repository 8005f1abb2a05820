package pipeline

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// unsortedConfig is lambda's, in input order.
func unsortedConfig(t *testing.T) Config {
	t.Helper()
	cfg := lambdaConfig(t)
	cfg.Sort = SortNone
	return cfg
}

// records are the records of a BAM file, without their block sizes.
func records(t *testing.T, path string) [][]byte {
	t.Helper()
	var recs [][]byte
	for data := recordBytes(t, path); len(data) > 0; {
		var rec []byte
		rec, data = nextRecord(data)
		recs = append(recs, rec[4:])
	}
	return recs
}

func TestInputOrderHoldsTheRecordsOfTheSortedFileAsTheReadsCome(t *testing.T) {
	cfg, sorted := unsortedConfig(t), lambdaConfig(t)
	// Ten reads are cut in two places that lie apart, so that there are supplementary records.
	one, two := chimeric(gunzip(t, lambda1), 10), gunzip(t, lambda2)
	cfg.Reads = []string{write(t, "1.fq", one), write(t, "2.fq", two)}
	sorted.Reads = cfg.Reads
	result := mustRun(t, cfg)
	mustRun(t, sorted)
	got, want := records(t, cfg.Output), records(t, sorted.Output)
	if result.Records != int64(len(got)) || len(got) < 4005 || result.Sort.Records != 0 {
		t.Errorf("%d records, the run said %d, %d of them sorted; want some supplementary ones", len(got), result.Records, result.Sort.Records)
	}
	at := 0
	for name := range names(one) {
		for mate, flag := range []uint16{bamrec.FlagFirst, bamrec.FlagSecond} {
			for first := true; at < len(got) && string(bamrec.Name(got[at])) == name && bamrec.Flag(got[at])&flag != 0; first = false {
				if supplementary := bamrec.Flag(got[at])&bamrec.FlagSupplementary != 0; supplementary == first {
					t.Fatalf("record %d: %s/%d: flag %x", at, name, mate+1, bamrec.Flag(got[at]))
				}
				at++
			}
		}
	}
	if at != len(got) {
		t.Fatalf("record %d, %s, is not where its read was", at, bamrec.Name(got[at]))
	}
	slices.SortFunc(got, bytes.Compare)
	slices.SortFunc(want, bytes.Compare)
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Error("the records are not those of the sorted file")
	}
	sum, err := Verify(t.Context(), Source{FS: vfs.OS, Paths: cfg.Reads, Threads: 2}, cfg.Output)
	if err != nil || sum.Reads != result.Sum {
		t.Errorf("Verify = %v, %v", sum, err)
	}
	if !strings.HasPrefix(sum.header, "@HD\tVN:1.6\tSO:unsorted\tGO:query\n") {
		t.Errorf("header %q", sum.header)
	}
	folderHolds(t, filepath.Dir(cfg.Output), "out.bam")
	folderHolds(t, cfg.TempDir)
}

// names are the names in a FASTQ text, in order, without /1.
func names(text []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; len(text) > 0; i++ {
			line, rest, _ := bytes.Cut(text, []byte("\n"))
			text = rest
			name, _, _ := strings.Cut(string(line[min(1, len(line)):]), " ")
			if i%4 == 0 && !yield(strings.TrimSuffix(name, "/1")) {
				return
			}
		}
	}
}

// chimeric puts the second half of each of the first n reads' bases in place of that of the read
// 500 records on.
func chimeric(text []byte, n int) []byte {
	lines := bytes.Split(text, []byte("\n"))
	for i := range n {
		a, b := lines[4*i+1], lines[4*(i+500)+1]
		lines[4*i+1] = append(bytes.Clone(a[:len(a)/2]), b[len(b)-(len(a)-len(a)/2):]...)
	}
	return bytes.Join(lines, []byte("\n"))
}

func TestInputOrderBytesDependOnNothingElse(t *testing.T) {
	base := unsortedConfig(t)
	mustRun(t, base)
	bam := mustRead(t, base.Output)
	for _, tt := range otherWays() {
		t.Run(tt.name, func(t *testing.T) {
			cfg := unsortedConfig(t)
			tt.change(t, &cfg)
			mustRun(t, cfg)
			if !bytes.Equal(mustRead(t, cfg.Output), bam) {
				t.Error("the BAM differs")
			}
			folderHolds(t, filepath.Dir(cfg.Output), "out.bam")
			folderHolds(t, cfg.TempDir)
		})
	}
	t.Run("stream", func(t *testing.T) {
		cfg := unsortedConfig(t)
		var out bytes.Buffer
		cfg.Output, cfg.Stdout = "-", &out
		mustRun(t, cfg)
		if !bytes.Equal(out.Bytes(), bam) {
			t.Error("the BAM differs")
		}
	})
	t.Run("a device", func(t *testing.T) {
		cfg := unsortedConfig(t)
		cfg.Output = os.DevNull
		if got := mustRun(t, cfg); got.Primary != 4000 {
			t.Errorf("%d primary records", got.Primary)
		}
	})
}

func TestInputOrderOfManyBatches(t *testing.T) {
	one, two := many(gunzip(t, lambda1), 4), many(gunzip(t, lambda2), 4)
	reads := []string{write(t, "1.fq", one), write(t, "2.fq", two)}
	for _, name := range []string{"out.bam", "out.sam"} {
		var want []byte
		for _, threads := range []int{1, 2, 7} {
			cfg := unsortedConfig(t)
			cfg.Reads, cfg.Threads, cfg.Level = reads, threads, 0
			cfg.Output = filepath.Join(filepath.Dir(cfg.Output), name)
			mustRun(t, cfg)
			got := mustRead(t, cfg.Output)
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %d threads: other bytes", name, threads)
			}
		}
	}
}

func TestInputOrderRefusesWhatNeedsASort(t *testing.T) {
	tests := []struct {
		name   string
		change func(c *Config)
	}{
		{"a bai index", func(c *Config) { c.Index = IndexBAI }},
		{"a csi index", func(c *Config) { c.Index = IndexCSI }},
		{"shards", func(c *Config) { c.Shards = 2; c.Output = filepath.Dir(c.Output) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := unsortedConfig(t)
			tt.change(&cfg)
			if _, err := Run(t.Context(), cfg); ExitCode(err) != ExitMisuse || Hint(err) == "" {
				t.Errorf("error %v, hint %q", err, Hint(err))
			}
		})
	}
}

// stoppingSink fails, or ends the run, at some record.
type stoppingSink struct {
	at   int
	stop func() error
	got  []byte // the last four bytes of each record
}

func (s *stoppingSink) begin() error  { return nil }
func (s *stoppingSink) settle() error { return nil }
func (s *stoppingSink) finish() error { return nil }
func (s *stoppingSink) abort() error  { return nil }

func (s *stoppingSink) add(r bgzfout.Record) error {
	rec := r.Data
	if s.at--; s.at == 0 {
		return s.stop()
	}
	s.got = append(s.got, rec[len(rec)-1])
	return nil
}

// TestChunksComeOutInTheOrderOfTheBatches has mappers that take all kinds of time. A bubble of
// synctest fails at once when all wait for each other.
func TestChunksComeOutInTheOrderOfTheBatches(t *testing.T) {
	full := errors.New("full")
	for _, threads := range []int{1, 2, 7} {
		for _, at := range []int{0, 1, 40, 199} {
			synctest.Test(t, func(t *testing.T) {
				sink := &stoppingSink{at: at, stop: func() error { return full }}
				err := lineOfLanes(t, threads, 200, sink)
				if at > 0 && !errors.Is(err, full) || at == 0 && err != nil {
					t.Errorf("threads=%d at=%d: error %v", threads, at, err)
				}
				for i, b := range sink.got {
					if b != byte(i) {
						t.Fatalf("threads=%d at=%d: record %d came at %d", threads, at, b, i)
					}
				}
				if at == 0 && len(sink.got) != 200 {
					t.Errorf("threads=%d: %d records of 200", threads, len(sink.got))
				}
			})
		}
	}
}

// lineOfLanes passes batches of one record each through the lanes of as many mappers. The record
// is no BAM record but for its size, so nobody sums it.
func lineOfLanes(t *testing.T, threads, batches int, s sink) error {
	u := newUnsorted(t, threads, s)
	ctx, cancel := context.WithCancel(t.Context())
	work := make(chan int64, 2*threads)
	var mappers sync.WaitGroup
	mappers.Go(func() {
		defer close(work)
		for i := range batches {
			select {
			case work <- int64(i):
			case <-ctx.Done():
				return
			}
		}
	})
	g := newGate(threads)
	for i := range threads {
		mappers.Go(func() { u.mapNothing(ctx, u.lane(ctx, i), g.newSeat(), work) })
	}
	err := u.write(ctx)
	cancel()
	mappers.Wait()
	return err
}

func newUnsorted(t *testing.T, threads int, s sink) *unsorted {
	t.Helper()
	r := &run{cfg: &Config{Threads: threads, Sort: SortNone}, sink: s, stages: meter.NewSet(meter.SetConfig{})}
	u := r.chooseWay().(*unsorted)
	if err := u.open(); err != nil {
		t.Fatal(err)
	}
	return u
}

// mapNothing is a mapper but for the mapping. How many may work changes with every batch.
func (u *unsorted) mapNothing(ctx context.Context, l lane, place *seat, work <-chan int64) {
	defer place.leave()
	for err := place.enter(ctx, nil); err == nil; err = place.next(ctx, nil) {
		if l.begin(ctx) != nil {
			return
		}
		ordinal, ok := <-work
		if !ok {
			l.close()
			return
		}
		time.Sleep(time.Duration(rand.N(20)) * time.Millisecond)
		if err := l.emit([]byte{1, 0, 0, 0, byte(ordinal)}, 0, 0, false, uint64(ordinal)); err != nil {
			if ctx.Err() == nil {
				panic(err)
			}
			return
		}
		l.end(ordinal)
		place.gate.set(1 + rand.N(u.run.cfg.Threads))
	}
}

func TestRecordsOutOfOrderAreABug(t *testing.T) {
	u := newUnsorted(t, 1, &stoppingSink{})
	l := u.lane(t.Context(), 0)
	for ordinal, ord := range []uint64{7, 5} { // the second batch before the first
		if err := l.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.emit([]byte{0, 0, 0, 0}, 0, 0, false, ord); err != nil {
			t.Fatal(err)
		}
		if err := l.emit([]byte{0, 0, 0, 0}, 0, 0, false, ord); !errors.Is(err, errOrdinals) {
			t.Errorf("the same ordinal again: %v", err)
		}
		l.end(int64(ordinal))
	}
	if err := u.write(t.Context()); !errors.Is(err, errOrdinals) {
		t.Errorf("batches out of order: %v", err)
	}
}

func TestAnInputOrderRunLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	mustRun(t, unsortedConfig(t))
	goroutinesGone(t, before)
	cfg := unsortedConfig(t)
	cfg.Reads = []string{write(t, "1.fq", many(gunzip(t, lambda1), 20))}
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Output, cfg.Stdout = "-", stopAfter{cancel}
	if _, err := Run(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	goroutinesGone(t, before)
}

// stopAfter ends the run with the first write.
type stopAfter struct{ cancel func() }

func (s stopAfter) Write(p []byte) (int, error) { s.cancel(); return len(p), nil }
