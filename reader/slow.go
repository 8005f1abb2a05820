package reader

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// slow parses any record line by line: wrapped, with CRLF, the last one without an end of line,
// or bad. It decides what is accepted; the fast path accepts a part of that.
func (p *parser) slow(ctx context.Context, b *Batch) error {
	p.restart()
	mark, bases := len(b.data), b.Bases
	s := span{at: mark}
	err := p.header(ctx, b, &s)
	if err == nil {
		err = p.sequence(ctx, b, &s)
	}
	if err == nil {
		err = p.quality(ctx, b, int(s.seq))
	}
	if err != nil {
		b.data, b.Bases = b.data[:mark], bases
		return err
	}
	b.spans = append(b.spans, s)
	b.Bases += int(s.seq)
	p.advance(p.lines.after, p.lines.num-p.line+1)
	return nil
}

// header takes the name line.
func (p *parser) header(ctx context.Context, b *Batch, s *span) error {
	if rest := p.win.rest(); len(rest) > 0 && rest[0] != '@' && rest[0] != '\n' && rest[0] != '\r' {
		p.lines.num++ // no need to look for the end of what is not a name line
		return p.fault(0, notHeader(rest[0]))
	}
	if rest := p.win.rest(); len(rest) > maxTitle && bytes.IndexByte(rest[:maxTitle+1], '\n') < 0 {
		p.lines.num++
		if raw, err := nameLen(rest[1:maxTitle]); err != nil {
			return p.fault(1+raw, err)
		}
		return p.fault(maxTitle, errLongTitle)
	}
	line, ok, err := p.readLine(ctx)
	switch {
	case err != nil:
		return err
	case !ok:
		return io.EOF
	case len(line) == 0:
		return p.onlyBlank(ctx)
	case line[0] != '@':
		return p.fault(0, notHeader(line[0]))
	}
	title := line[1:]
	raw, err := nameLen(title)
	if err != nil {
		return p.fault(1+raw, err)
	}
	p.raw = append(p.raw[:0], title[:raw]...)
	s.name = uint8(withoutMate(p.raw))
	copy(b.extend(int(s.name)), p.raw)
	if p.comments {
		comment := commentOf(title, raw)
		s.comment = int32(len(comment))
		copy(b.extend(len(comment)), comment)
	}
	return nil
}

func notHeader(c byte) error {
	if c == '>' {
		return errFASTA
	}
	return fmt.Errorf("expected '@' at the start of a record, found %q", c)
}

// onlyBlank accepts blank lines, the first of which was just read, up to the end of the file.
func (p *parser) onlyBlank(ctx context.Context) error {
	first := p.lines
	for {
		line, ok, err := p.readLine(ctx)
		if err != nil {
			return err
		}
		if !ok {
			return io.EOF
		}
		if len(line) > 0 {
			p.lines = first
			return p.fault(0, errBlank)
		}
	}
}

// sequence takes the lines of bases and the '+' line behind them.
func (p *parser) sequence(ctx context.Context, b *Batch, s *span) error {
	blank := false
	for first := true; ; first = false {
		line, ok, err := p.readLine(ctx)
		switch {
		case err != nil:
			return err
		case !ok && first:
			return p.fault(0, errNoSeq)
		case !ok:
			return p.fault(0, errNoPlus)
		case len(line) > 0 && line[0] == '+':
			if !repeats(line[1:], p.raw) {
				return p.fault(1, errPlusName)
			}
			return nil
		case blank, len(line) == 0 && !first:
			return p.fault(0, errBlankSeq)
		case len(line) == 0:
			blank = true // an empty read
		case line[0] == '@':
			return p.fault(0, errNextRead)
		case int(s.seq)+len(line) > maxSeq:
			return p.fault(0, errLongSeq)
		}
		if !fold(b.extend(len(line)), line) {
			i := firstBad(line, isBase)
			return p.fault(i, badByte(line[i], "base"))
		}
		s.seq += int32(len(line))
	}
}

// quality takes lines until there are n values.
func (p *parser) quality(ctx context.Context, b *Batch, n int) error {
	for got := 0; got < n || n == 0; {
		before := p.lines
		line, ok, err := p.readLine(ctx)
		switch {
		case err != nil:
			return err
		case !ok && n == 0:
			p.lines = before // the empty line of an empty read lacks even its end
			return nil
		case !ok && got == 0:
			return p.fault(0, errNoQual)
		case !ok:
			return p.fault(0, qualLength(n, got, false))
		case got > 0 && got+len(line) > n:
			p.lines = before // what follows is another record, or rubbish
			return p.fault(p.lineLen(), qualLength(n, got, false))
		case len(line) > n:
			return p.fault(n, qualLength(n, len(line), true))
		case len(line) == 0 && n == 0:
			return nil
		case len(line) == 0:
			return p.fault(0, qualLength(n, got, false))
		}
		if !qualities(line) {
			i := firstBad(line, isQuality)
			return p.fault(i, badByte(line[i], "quality value ('!' to '~')"))
		}
		copy(b.extend(len(line)), line)
		got += len(line)
	}
	return nil
}

// lineLen is the length of the current line without its end.
func (p *parser) lineLen() int {
	line := p.win.rest()[p.lines.at:p.lines.after]
	return len(withoutCR(bytes.TrimSuffix(line, []byte("\n"))))
}
