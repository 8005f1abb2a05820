package reader

import (
	"bytes"
	"context"
)

// lineReader steps through the lines of the window from the start of the current record. It
// moves nothing: the record stays in the window until the parser advances.
type lineReader struct {
	at    int   // of the line that read returned last, in the window's rest
	after int   // just behind it and its end
	num   int64 // its number, from 1
}

// restart goes back to the start of the current record.
func (p *parser) restart() { p.lines = lineReader{num: p.line - 1} }

// readLine returns the next line without its end, LF or CRLF. At the end of the file ok is false
// and lines.at is behind the last byte. The line dies with the next call. err is what broke the
// stream, when that comes before the end of the line.
func (p *parser) readLine(ctx context.Context) (line []byte, ok bool, err error) {
	l := &p.lines
	l.at = l.after
	l.num++
	seen := 0
	for {
		rest := p.win.rest()[l.at:]
		if i := bytes.IndexByte(rest[seen:], '\n'); i >= 0 {
			l.after = l.at + seen + i + 1
			return withoutCR(rest[:seen+i]), true, nil
		}
		seen = len(rest)
		if p.win.more(ctx) {
			continue
		}
		if err := p.win.broken(); err != nil {
			return nil, false, err
		}
		l.after = l.at + seen
		return withoutCR(rest), seen > 0, nil
	}
}

// fault makes the error of byte i of the current line.
func (p *parser) fault(i int, err error) error {
	return &SyntaxError{File: p.file, Record: p.record, Line: p.lines.num, Byte: p.win.at(p.lines.at+i) + 1, Err: err}
}
