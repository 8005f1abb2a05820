//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"hash/crc32"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
)

// work is one worker. It finishes what it was given, also when the stream is stopped; only guesses
// are then left.
func (a *ahead) work() {
	defer a.s.wg.Done()
	defer a.s.cfg.InflateStage.Enter().Exit()
	g := &guesser{room: a.s.cfg.room()}
	w := waiting{fill: a.fill, guess: a.guess}
	for {
		c, p := w.next(a.s.cfg.InflateStage)
		switch {
		case c != nil:
			c.resolve()
		case p != nil:
			if a.ctx.Err() == nil {
				g.decode(p)
			}
			p.done <- struct{}{} // reset emptied it
			p.drop()
		default:
			return
		}
	}
}

// waiting is what workers take their work from; nil when closed and empty.
type waiting struct {
	fill  chan *Chunk
	guess chan *piece
}

// next returns a chunk to be filled or a piece to be guessed, or neither when there will be none.
// Chunks come first: the consumer waits for them.
func (w *waiting) next(stage *meter.Stage) (c *Chunk, p *piece) {
	for ok := false; !ok && (w.fill != nil || w.guess != nil); {
		select {
		case c, ok = <-w.fill:
			w.closed(!ok, false)
			continue
		default:
		}
		select {
		case p, ok = <-w.guess:
			w.closed(false, !ok)
			continue
		default:
		}
		start := time.Now()
		select {
		case c, ok = <-w.fill:
			w.closed(!ok, false)
		case p, ok = <-w.guess:
			w.closed(false, !ok)
		}
		stage.AddWait(meter.WaitIn, time.Since(start))
	}
	return c, p
}

// closed takes out the channels that are.
func (w *waiting) closed(fill, guess bool) {
	if fill {
		w.fill = nil
	}
	if guess {
		w.guess = nil
	}
}

// resolve fills Data from the piece, and the checksums of its parts.
func (c *Chunk) resolve() {
	c.piece.read(c.Data, c.from)
	c.piece.drop()
	from := 0
	for i := range c.sums {
		p := &c.sums[i]
		p.crc = crc32.ChecksumIEEE(c.Data[from:p.to])
		from = p.to
	}
	c.ready <- struct{}{}
}
