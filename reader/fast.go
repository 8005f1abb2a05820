package reader

import (
	"bytes"
	"context"
)

// parser reads the records of one file.
type parser struct {
	file     string
	comments bool
	win      window

	record int64 // of the current record, from 1
	line   int64 // of the current record's first line, from 1
	last   place // of the record that next returned last

	lines lineReader // of the slow path
	raw   []byte     // the slow path's copy of the name, with /1 or /2
}

// place is where a record starts, in SyntaxError's terms.
type place struct{ record, line, byte int64 }

func newParser(file string, comments bool, win window) *parser {
	return &parser{file: file, comments: comments, win: win, record: 1, line: 1}
}

// next appends the next record to b as a span. It returns io.EOF at the end. After a SyntaxError
// b is as before, and the parser still stands at the bad record; see resync.
func (p *parser) next(ctx context.Context, b *Batch) error {
	for {
		switch p.fast(b) {
		case parsed:
			return nil
		case unlike:
			return p.slow(ctx, b)
		case short:
			if !p.win.more(ctx) {
				return p.slow(ctx, b)
			}
		}
	}
}

// outcome of the fast path.
type outcome int

const (
	parsed outcome = iota // appended
	unlike                // not four good lines: the slow path decides
	short                 // the record is not wholly in the window
)

// fast parses a record of four lines that is wholly in the window and has no fault.
func (p *parser) fast(b *Batch) outcome {
	rec := p.win.rest()
	if len(rec) == 0 {
		return short
	}
	if rec[0] != '@' {
		return unlike
	}
	seqAt := bytes.IndexByte(rec, '\n') + 1
	if seqAt-1 > maxTitle || seqAt == 0 && len(rec) > maxTitle {
		return unlike
	}
	if seqAt == 0 {
		return short
	}
	n := bytes.IndexByte(rec[seqAt:], '\n')
	if n < 0 || seqAt+n+2 >= len(rec) {
		return short
	}
	plusAt := seqAt + n + 1
	if rec[plusAt] != '+' || n > maxSeq {
		return unlike
	}
	qualAt := plusAt + 2
	if rec[plusAt+1] != '\n' {
		i := bytes.IndexByte(rec[plusAt:], '\n')
		if i < 0 {
			return short
		}
		qualAt = plusAt + i + 1
	}
	if qualAt+n >= len(rec) {
		return short
	}
	title := withoutCR(rec[1 : seqAt-1])
	raw, err := nameLen(title)
	if err != nil || rec[qualAt+n] != '\n' || !repeats(withoutCR(rec[plusAt+1:qualAt-1]), title[:raw]) {
		return unlike
	}
	if !p.add(b, title, raw, rec[seqAt:seqAt+n], rec[qualAt:qualAt+n]) {
		return unlike
	}
	p.advance(qualAt+n+1, 4)
	return parsed
}

// add appends a record to b, unless a base or a quality is bad.
func (p *parser) add(b *Batch, title []byte, raw int, seq, qual []byte) bool {
	name := title[:withoutMate(title[:raw])]
	var comment []byte
	if p.comments {
		comment = commentOf(title, raw)
	}
	at, n := len(b.data), len(seq)
	dst := b.extend(len(name) + len(comment) + 2*n)
	k := copy(dst, name)
	k += copy(dst[k:], comment)
	if !fold(dst[k:k+n], seq) || !qualities(qual) {
		b.data = b.data[:at]
		return false
	}
	copy(dst[k+n:], qual)
	b.spans = append(b.spans, span{at: at, comment: int32(len(comment)), seq: int32(n), name: uint8(len(name))})
	b.Bases += n
	return true
}

// advance leaves the current record, which took size bytes and the given lines.
func (p *parser) advance(size int, lines int64) {
	p.last = place{p.record, p.line, p.win.at(0) + 1}
	p.win.start += size
	p.line += lines
	p.record++
}

// nameLen returns the length of the name at the start of a title: up to the first blank. Of an
// error, the length is the index of the byte at fault.
func nameLen(title []byte) (int, error) {
	n := 0
	for n < len(title) && isQuality(title[n]) {
		n++
	}
	name := title[:n]
	end := n == len(title) || isBlank(title[n])
	switch {
	case withoutMate(name) > maxName:
		return maxName, errLongName
	case !end && title[n] == 0:
		return n, errNUL
	case !end:
		return n, errNameByte
	case withoutMate(name) == 0:
		return 0, errNoName
	case name[0] == '@':
		return 0, errAtName
	}
	if i := bytes.IndexByte(title[n:], 0); i >= 0 {
		return n + i, errNUL
	}
	return n, nil
}

// withoutMate is the length of a name without /1 or /2 at its end.
func withoutMate(name []byte) int {
	n := len(name)
	if n >= 2 && name[n-2] == '/' && (name[n-1] == '1' || name[n-1] == '2') {
		return n - 2
	}
	return n
}

// commentOf is what follows the blank after the name.
func commentOf(title []byte, raw int) []byte { return title[min(raw+1, len(title)):] }

// withoutCR cuts one carriage return off the end of a line.
func withoutCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// repeats tells whether what follows '+' is nothing, or starts with the read's name.
func repeats(plus, name []byte) bool {
	if len(plus) == 0 {
		return true
	}
	return bytes.HasPrefix(plus, name) && (len(plus) == len(name) || isBlank(plus[len(name)]))
}
