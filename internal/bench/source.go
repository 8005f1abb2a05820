package bench

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/reader"
)

// source gives templates as FASTQ text.
type source interface {
	// take appends up to n templates to the texts, and returns the texts and how many there were:
	// fewer than n at the end. The second text stays as it is where reads are single.
	take(ctx context.Context, one, two []byte, n int) ([]byte, []byte, int, error)
	paired() bool
	close() error
}

func (m *readMaker) take(_ context.Context, one, two []byte, n int) ([]byte, []byte, int, error) {
	for range n {
		one, two = m.pair(one, two)
	}
	return one, two, n, nil
}

func (m *readMaker) paired() bool { return true }
func (m *readMaker) close() error { return nil }

// given reads FASTQ files from their start.
type given struct {
	reader *reader.Reader
	group  *errgroup.Group
	stop   context.CancelFunc
	queue  *meter.Queue[*reader.Batch]
	pairs  bool
	left   []reader.Read // of batch
	batch  *reader.Batch
}

func openGiven(ctx context.Context, fsys vfs.FS, paths []string, threads int) (*given, error) {
	ctx, stop := context.WithCancel(ctx)
	r, err := reader.Open(ctx, reader.Config{FS: fsys, Paths: paths, InflateWorkers: threads})
	if err != nil {
		stop()
		return nil, err
	}
	g := &given{reader: r, stop: stop, pairs: len(paths) == 2, queue: meter.NewQueue[*reader.Batch](2, nil, nil)}
	g.group, ctx = errgroup.WithContext(ctx)
	g.group.Go(func() error { defer g.queue.Close(); return r.Run(ctx, g.queue) })
	return g, nil
}

func (g *given) paired() bool { return g.pairs }

func (g *given) take(ctx context.Context, one, two []byte, n int) ([]byte, []byte, int, error) {
	for got := 0; got < n; got++ {
		if len(g.left) == 0 {
			if err := g.next(ctx); err == io.EOF {
				return one, two, got, nil
			} else if err != nil {
				return one, two, got, err
			}
		}
		one = appendFASTQ(one, g.left[0])
		g.left = g.left[1:]
		if g.pairs {
			two = appendFASTQ(two, g.left[0])
			g.left = g.left[1:]
		}
	}
	return one, two, n, nil
}

// next waits for a batch. The end of the queue may be an error of the reader.
func (g *given) next(ctx context.Context) error {
	if g.batch != nil {
		g.batch.Release()
		g.batch = nil
	}
	b, ok, err := g.queue.Recv(ctx)
	if err != nil {
		return err
	}
	if !ok {
		if err := g.group.Wait(); err != nil {
			return err
		}
		return io.EOF
	}
	g.batch, g.left = b, b.Reads
	return nil
}

// close stops reading in the middle of the files; that is no error.
func (g *given) close() error {
	g.stop()
	g.queue.Drain(func(b *reader.Batch) { b.Release() })
	err := g.group.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, g.reader.Close())
}

func appendFASTQ(dst []byte, r reader.Read) []byte {
	dst = append(append(append(dst, '@'), r.Name...), '\n')
	dst = append(append(dst, r.Seq...), "\n+\n"...)
	return append(append(dst, r.Qual...), '\n')
}
