//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// ahead is what decodes a plain gzip stream on several goroutines.
//
//	device ──raw──> scout ──pieces, in order──> source, from where the stream's decoder reads
//	                  └──guess──> workers         │ jump: takes what a worker made of a piece
//	                                ^──fill── chunks, in order ──> Next
//
// The decoder goes through all of the stream, as it does alone. But at a block where a piece's
// guess began, it takes over what was decoded from there, up to the place where that ended; the
// window is known by then, so workers can resolve it into chunks. A guess that began or ended
// where no block does is never met, and what it should have been the decoder decodes itself.
type ahead struct {
	ctx     context.Context // of the scout
	cancel  context.CancelFunc
	s       *Stream
	raw     *rawReader
	free    chan *piece
	ordered *meter.Queue[*piece]
	guess   chan *piece
	fill    chan *Chunk
	done    chan struct{} // the scout has ended

	// Said by the decoder, done by the scout.
	ratio atomic.Int64 // plain bytes per 1024 compressed ones, of late
	pause atomic.Int64 // pieces not to be guessed

	// Of the decoder.
	start int64    // compressed byte of the first piece
	live  []*piece // those that the decoder has not passed, as far as it has read
	cur   *piece   // the last one of them
	off   int      // in cur, what is read next
	stop  int64    // bit: at a block before it, nothing can be taken over
	luck  luck
	mark  struct{ in, out int64 } // where ratio was taken last
}

// newAhead starts to look ahead of what s has read so far.
func newAhead(ctx context.Context, s *Stream) *ahead {
	n := s.cfg.pieceCount()
	a := &ahead{
		s: s, raw: &s.src.raw, start: s.src.got, luck: luck{pause: firstPause},
		free:    make(chan *piece, n),
		ordered: meter.NewQueue[*piece](n, nil, s.cfg.InflateStage),
		guess:   make(chan *piece, n),
		fill:    make(chan *Chunk, s.cfg.chunks()),
		done:    make(chan struct{}),
	}
	a.ctx, a.cancel = context.WithCancel(ctx)
	a.raw.ctx = a.ctx
	a.mark.in, a.mark.out = s.pos(), s.off
	a.ratio.Store(1024 * s.off / max(1, s.pos()))
	for range n {
		a.free <- &piece{home: a.free, done: make(chan struct{}, 1)}
	}
	s.wg.Add(1 + s.cfg.guessers())
	go a.scout()
	for range s.cfg.guessers() {
		go a.work()
	}
	return a
}

// close ends the scout, and then the workers, when they have resolved what is left.
func (a *ahead) close() {
	a.cancel()
	<-a.done
	for _, p := range a.live {
		p.quit.Store(true)
	}
	close(a.guess)
	close(a.fill)
}

// scout cuts the stream into pieces.
func (a *ahead) scout() {
	defer a.s.wg.Done()
	defer a.s.cfg.InflateStage.Enter().Exit()
	defer close(a.done)
	defer a.ordered.Close()
	overlap := a.s.cfg.overlap()
	carry := make([]byte, 0, overlap)
	for pos := a.start; ; {
		p, err := a.takePiece()
		if err != nil {
			return
		}
		own := a.pieceBytes()
		p.reset(pos, own+overlap, a.s.cfg.maxPiece()+overlap)
		n := copy(p.in, carry)
		for n < len(p.in) && p.err == nil {
			var m int
			m, p.err = a.raw.Read(p.in[n:])
			n += m
		}
		p.in, p.own = p.in[:n], n
		if p.err == nil {
			p.own = own
		}
		carry = append(carry[:0], p.in[p.own:]...)
		last := p.err != nil
		pos = p.limit()
		a.offer(p)
		if a.ordered.Send(a.ctx, p) != nil || last { // never full: it has room for all
			return
		}
	}
}

// takePiece waits for a piece that nobody uses any more.
func (a *ahead) takePiece() (p *piece, err error) {
	select {
	case p = <-a.free:
		return p, nil
	default:
	}
	start := time.Now()
	select {
	case p = <-a.free:
	case <-a.ctx.Done():
		err = context.Cause(a.ctx)
	}
	a.s.cfg.InflateStage.AddWait(meter.WaitOut, time.Since(start))
	return p, err
}

// pieceBytes is how many compressed bytes leave a quarter of the room, for data like that of late.
func (a *ahead) pieceBytes() int {
	c := &a.s.cfg
	fits := int64(c.room()) * 3 / 4 * 1024 / max(1, a.ratio.Load())
	return int(min(max(fits, int64(c.minPiece())), int64(c.maxPiece())))
}

// offer has a piece guessed. The first is not: the decoder is already there.
func (a *ahead) offer(p *piece) {
	if p.pos == a.start || a.ratio.Load()*int64(p.own) > 1024*int64(a.s.cfg.room()) {
		return
	}
	if a.pause.Load() > 0 {
		a.pause.Add(-1)
		return
	}
	p.guess = true
	p.refs.Add(1)
	a.guess <- p // never full
}

// read is source.Read.
func (a *ahead) read(b []byte) (int, error) {
	for {
		if p := a.cur; p != nil {
			if n := copy(b, p.in[a.off:p.own]); n > 0 {
				a.off += n
				return n, nil
			}
			if p.err != nil {
				return 0, p.err
			}
		}
		a.pass()
		p, ok, err := a.ordered.Recv(a.s.src.ctx)
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, unexpected(a.s.src.ctx)
		}
		a.cur, a.off = p, 0
		a.live = append(a.live, p)
	}
}

// pass gives back the pieces that the decoder has passed.
func (a *ahead) pass() {
	pos, n := a.s.pos(), 0
	for n < len(a.live) && a.live[n].limit() <= pos && a.live[n].err == nil {
		p := a.live[n]
		if p == a.cur {
			a.cur = nil
		}
		if p.guess {
			a.learn(p)
		}
		p.quit.Store(true)
		p.drop()
		n++
	}
	a.live = a.live[:copy(a.live, a.live[n:])]
	if in := pos - a.mark.in; in >= int64(a.s.cfg.minPiece()) {
		a.ratio.Store(1024 * (a.s.off - a.mark.out) / in)
		a.mark.in, a.mark.out = pos, a.s.off
	}
}

const (
	// patience is how many guesses in a row may be of no use.
	patience = 8
	// firstPause and longestPause bound the pieces that are then left alone; each pause is twice
	// as long as the one before.
	firstPause   = 32
	longestPause = 4096
)

// luck is how the guesses turned out.
type luck struct {
	used, unused int64 // in all
	bad          int   // unused in a row
	pause        int64 // the next one
}

// learn from a guess that is passed.
func (a *ahead) learn(p *piece) {
	l := &a.luck
	if p.used {
		l.used++
		l.bad, l.pause = 0, firstPause
		return
	}
	l.unused++
	if l.bad++; l.bad == patience {
		a.pause.Store(l.pause)
		l.bad, l.pause = 0, min(2*l.pause, longestPause)
	}
}

// at returns the piece with byte pos of the compressed stream, if that has been read.
func (a *ahead) at(pos int64) *piece {
	for _, p := range a.live {
		if p.pos <= pos && pos < p.limit() {
			return p
		}
	}
	return nil
}

// await waits for a guess.
func (a *ahead) await(p *piece) {
	if p.asked {
		return
	}
	p.asked = true
	select {
	case <-p.done:
		return
	default:
	}
	start := time.Now()
	<-p.done
	a.s.cfg.InflateStage.AddWait(meter.WaitOrder, time.Since(start))
}
