package reader

import (
	"errors"
	"fmt"
)

// ErrInput is what every error caused by the input's data is, for errors.Is.
var ErrInput = errors.New("bad input data")

// SyntaxError locates a bad record. Record, Line and Byte count from 1, as an editor does; Byte
// and Line are of the decompressed file, and of the first byte that is wrong.
type SyntaxError struct {
	File   string
	Record int64
	Line   int64
	Byte   int64
	Err    error
}

// Error gives the place and the cause on one line.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s: record %d (line %d, byte %d): %v", e.File, e.Record, e.Line, e.Byte, e.Err)
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Is makes every SyntaxError an ErrInput.
func (e *SyntaxError) Is(target error) bool { return target == ErrInput }

// dataError marks an error of package inflate as ErrInput and leaves its text alone.
type dataError struct{ error }

func (e dataError) Unwrap() error        { return e.error }
func (e dataError) Is(target error) bool { return target == ErrInput }

var (
	errNoName    = errors.New("the read has no name")
	errLongName  = fmt.Errorf("the read's name is longer than %d bytes", maxName)
	errNUL       = errors.New("NUL byte in the name line")
	errNameByte  = errors.New("the read's name holds a byte that is not printable ASCII")
	errAtName    = errors.New("the read's name starts with '@', which SAM does not allow")
	errLongTitle = fmt.Errorf("the name line is longer than %d bytes", maxTitle)
	errBlank     = errors.New("blank line between records")
	errBlankSeq  = errors.New("blank line inside the sequence")
	errPlusName  = errors.New("the name after '+' is not that of the read")
	errFASTA     = errors.New("expected '@', found '>': this looks like FASTA, which has no qualities")
	errLongSeq   = fmt.Errorf("the sequence is longer than %d bases", maxSeq)
	errNoSeq     = errors.New("truncated record: the file ends after the name")
	errNoPlus    = errors.New("truncated record: the file ends inside the sequence, before a '+' line")
	errNoQual    = errors.New("truncated record: the file ends before the quality")
	errNextRead  = errors.New("expected a '+' line, found '@': the record has no quality")
)

// badByte describes a byte that does not belong where it is.
func badByte(c byte, what string) error {
	if c < '!' || c > '~' {
		return fmt.Errorf("byte 0x%02x is not a %s", c, what)
	}
	return fmt.Errorf("%q is not a %s", c, what)
}

// qualLength describes a quality string of the wrong length.
func qualLength(seq, qual int, more bool) error {
	if more {
		return fmt.Errorf("the sequence has %d bases but the quality has more than that (%d or more)", seq, qual)
	}
	return fmt.Errorf("the sequence has %d bases but the quality has %d", seq, qual)
}
