package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// maxDebt is how many reads may be dropped in search of the mates that belong together after one
// bad record. More than the reads that one bad record may hide would only delay the error.
const maxDebt = 64

// debt remembers that a record was skipped since the last good pair.
type debt struct {
	file int   // where it was
	left int   // reads that may still be dropped because of it
	lead int64 // records by which the first file's count was ahead at the last good pair
}

// errMateless is the reason why a good read is dropped.
var errMateless = errors.New("dropped with its mate, which is bad")

// read appends the next read of file i to b, stepping over bad ones where that is allowed.
func (r *Reader) read(ctx context.Context, i int, b *Batch) error {
	p := r.parsers[i]
	for {
		err := p.next(ctx, b)
		if err == nil || !r.cfg.SkipBad || !isSyntax(err) {
			return err
		}
		r.skip(err)
		r.debt.file, r.debt.left = i, maxDebt
		if err := p.resync(ctx); err != nil {
			return err
		}
	}
}

func isSyntax(err error) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax)
}

// skip counts and reports one dropped read.
func (r *Reader) skip(err error) {
	r.skipped.Add(1)
	if r.cfg.OnSkip != nil {
		r.cfg.OnSkip(err)
	}
}

// lastOf makes an error of the read that was last taken from file i.
func (r *Reader) lastOf(i int, err error) error {
	p := r.parsers[i]
	return &SyntaxError{File: p.file, Record: p.last.record, Line: p.last.line, Byte: p.last.byte, Err: err}
}

// endOf makes an error of the end of file i.
func (r *Reader) endOf(i int, err error) error {
	p := r.parsers[i]
	return &SyntaxError{File: p.file, Record: p.record, Line: p.line, Byte: p.win.at(0) + 1, Err: err}
}

// mates appends a pair from two files. After a bad record in one file, the other one is behind
// by its mate: that is dropped too.
func (r *Reader) mates(ctx context.Context, b *Batch) error {
	at := len(b.spans)
	ends := [2]error{}
	for i := range ends {
		if ends[i] = r.read(ctx, i, b); ends[i] != nil && ends[i] != io.EOF {
			return ends[i]
		}
	}
	for {
		if ends[0] == io.EOF && ends[1] == io.EOF {
			return io.EOF
		}
		if ends[0] == nil && ends[1] == nil && b.sameName(at) {
			r.debt = debt{lead: r.lead()}
			return nil
		}
		if r.debt.left == 0 {
			return r.unpaired(b, at, ends)
		}
		behind := r.behind(ends)
		r.debt.left--
		r.skip(r.lastOf(behind, errMateless))
		b.drop(at + behind*(len(b.spans)-at-1))
		if ends[behind] = r.read(ctx, behind, b); ends[behind] != nil && ends[behind] != io.EOF {
			return ends[behind]
		}
		if behind == 0 && ends[0] == nil && len(b.spans) == at+2 {
			b.spans[at], b.spans[at+1] = b.spans[at+1], b.spans[at]
		}
	}
}

// lead is by how many records the first file is ahead of the second.
func (r *Reader) lead() int64 { return r.parsers[0].last.record - r.parsers[1].last.record }

// behind is the file whose read waits for no mate: the one that still has reads, or has counted
// fewer since the last good pair. One bad place may have hidden several records, so that the
// counts agree again too early; then it is the file in which nothing was skipped last.
func (r *Reader) behind(ends [2]error) int {
	lead := r.lead() - r.debt.lead
	switch {
	case ends[0] == io.EOF || ends[1] == nil && lead > 0:
		return 1
	case ends[1] == io.EOF || lead < 0:
		return 0
	}
	return 1 - r.debt.file
}

// unpaired says how two files disagree.
func (r *Reader) unpaired(b *Batch, at int, ends [2]error) error {
	for i, end := range ends {
		if end == io.EOF {
			return r.endOf(i, fmt.Errorf("the file ends here, but %s has more reads", r.parsers[1-i].file))
		}
	}
	return r.lastOf(1, b.differ(at))
}

// interleaved appends a pair from one file. After a bad record the names tell which reads still
// have their mate behind them.
func (r *Reader) interleaved(ctx context.Context, b *Batch) error {
	at := len(b.spans)
	if err := r.read(ctx, 0, b); err != nil {
		return err
	}
	for {
		first := r.parsers[0].last
		err := r.read(ctx, 0, b)
		switch {
		case err == io.EOF && r.debt.left == 0:
			return r.lastOf(0, errors.New("the last read has no mate"))
		case err != nil && err != io.EOF:
			return err
		case err == nil && b.sameName(at):
			r.debt = debt{}
			return nil
		case r.debt.left == 0:
			return r.lastOf(0, b.differ(at))
		}
		r.debt.left--
		file := r.parsers[0].file
		r.skip(&SyntaxError{File: file, Record: first.record, Line: first.line, Byte: first.byte, Err: errMateless})
		b.drop(at)
		if err != nil {
			return err
		}
	}
}

// sameName tells whether the spans at and at+1 have the same name.
func (b *Batch) sameName(at int) bool {
	return bytes.Equal(b.view(b.spans[at]).Name, b.view(b.spans[at+1]).Name)
}

// differ is the error of two mates with different names.
func (b *Batch) differ(at int) error {
	return fmt.Errorf("mates have different names: %q and %q",
		b.view(b.spans[at]).Name, b.view(b.spans[at+1]).Name)
}

// drop removes span i. Its bytes stay in data until the batch is released.
func (b *Batch) drop(i int) {
	b.Bases -= int(b.spans[i].seq)
	b.spans = append(b.spans[:i], b.spans[i+1:]...)
}
