//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import "context"

// lookAhead starts to decode ahead when the stream turns out to be long.
func (g *gzipMember) lookAhead(ctx context.Context) {
	s := g.s
	if g.ahead != nil || s.cfg.guessers() == 0 || s.pos() < s.cfg.lookAheadAt() {
		return
	}
	g.ahead = newAhead(ctx, s)
	s.format.Store(uint32(Ahead))
	s.src.ahead = g.ahead
	g.z.stops = true
	s.cur.sums = append(s.cur.sums, sum{to: len(s.cur.Data), size: g.sum.size, crc: g.sum.crc})
}

// close ends what decodes ahead.
func (g *gzipMember) close() {
	if g.ahead != nil {
		g.ahead.close()
	}
}

// jump is called in front of a block's header. It takes over what was decoded ahead from there,
// piece after piece, as long as each begins where the one before ended.
func (g *gzipMember) jump(ctx context.Context) error {
	for {
		p := g.match()
		if p == nil {
			return nil
		}
		if err := g.takeOver(ctx, p); err != nil {
			return err
		}
	}
}

// match returns the piece whose guess begins at this block, or nil. When that is clear for later
// blocks too, a.stop says up to where. A guess that reaches over the member's start is not taken:
// there is an error in the data then, which is the decoder's to find.
func (g *gzipMember) match() *piece {
	a := g.ahead
	bit := 8*g.s.pos() - int64(g.z.z.held)
	if bit < a.stop {
		return nil
	}
	next, _ := g.s.br.Peek(4) // so that the piece is there too
	if len(next) < 4 {
		return nil
	}
	at, ok := placeOf(bit, g.z.z.hold|uint64(next[0])<<g.z.z.held)
	p := a.at(at.bit >> 3)
	switch {
	case !ok:
		return nil
	case p == nil:
		a.stop = 8 * a.start
		return nil
	case p.guess:
		a.await(p)
	}
	switch {
	case !p.found || p.start.bit < at.bit:
		a.stop = 8*p.limit() - 10 // a stored block's place is that much behind its header
	case p.start.bit > at.bit:
		a.stop = p.start.bit - 10
	case p.start == at && (g.z.n == windowBytes || p.reach() <= g.z.n):
		return p
	}
	return nil
}

// takeOver sends on what p was decoded to, and goes to its end.
func (g *gzipMember) takeOver(ctx context.Context, p *piece) error {
	p.used = true
	if err := g.flush(ctx); err != nil {
		return err
	}
	copy(p.window(), g.window[:])
	p.tail(g.window[:])
	end, history := p.end, p.history
	if len(p.ends) == 0 {
		history = min(g.z.n+p.size(), windowBytes)
	}
	if err := g.sendPiece(ctx, p); err != nil {
		return err
	}
	if _, err := g.s.br.Discard(int(end>>3 - g.s.pos())); err != nil {
		return g.s.fail(g.start, err)
	}
	used := uint(end & 7)
	if used == 0 {
		g.z.resume(0, 0, history)
		return nil
	}
	b, err := g.s.br.ReadByte()
	if err != nil {
		return g.s.fail(g.start, err)
	}
	g.z.resume(uint64(b)>>used, 8-used, history)
	return nil
}

// sendPiece makes chunks of what p was decoded to: workers will fill them.
func (g *gzipMember) sendPiece(ctx context.Context, p *piece) error {
	s := g.s
	ends := p.ends
	for from := 0; from < p.size() || len(ends) > 0; {
		if err := s.take(ctx); err != nil {
			return err
		}
		c := s.cur
		s.cur = nil
		to := min(p.size(), from+len(c.buf))
		n, to := g.sumUp(c, ends, from, to)
		ends = ends[n:]
		c.Data = c.buf[:to-from]
		c.piece, c.from, c.async = p, from, true
		p.refs.Add(1)
		s.off += int64(len(c.Data))
		s.cfg.InflateStage.AddBytesOut(int64(len(c.Data)))
		g.ahead.fill <- c // never full: it has room for all chunks
		if err := s.out.Send(ctx, c); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// sumUp gives c the sums for a piece's bytes in [from, to), and returns how many of the ends are
// among them. When these are too many, to becomes less.
func (g *gzipMember) sumUp(c *Chunk, ends []memberEnd, from, to int) (n, newTo int) {
	at := from
	for n < len(ends) && ends[n].at <= to {
		if len(c.sums) == maxSums {
			return n, at
		}
		e := &ends[n]
		c.sums = append(c.sums, sum{to: e.at - from, size: int64(e.at - at), ends: true, wantCRC: e.crc, wantSize: e.size, member: g.start})
		g.tell(e.next)
		at, g.start = e.at, e.next
		n++
	}
	if at < to {
		c.sums = append(c.sums, sum{to: to - from, size: int64(to - at)})
	}
	return n, to
}
