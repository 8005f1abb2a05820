package meter

import "io"

// Reader charges the calls of an io.Reader to a stage: bytes, calls, and the time in them.
type Reader struct {
	r io.Reader
	s *Stage
}

// NewReader wraps r where it is opened. s may be nil.
func NewReader(r io.Reader, s *Stage) *Reader { return &Reader{r, s} }

// Read reads from the wrapped reader.
func (r *Reader) Read(p []byte) (int, error) {
	call := r.s.Begin(BlkRead)
	n, err := r.r.Read(p)
	call.End()
	r.s.AddBytesIn(int64(n))
	return n, err
}

// ReaderAt does for an io.ReaderAt what Reader does for an io.Reader.
type ReaderAt struct {
	r io.ReaderAt
	s *Stage
}

// NewReaderAt wraps r where it is opened. s may be nil.
func NewReaderAt(r io.ReaderAt, s *Stage) *ReaderAt { return &ReaderAt{r, s} }

// ReadAt reads from the wrapped reader.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	call := r.s.Begin(BlkRead)
	n, err := r.r.ReadAt(p, off)
	call.End()
	r.s.AddBytesIn(int64(n))
	return n, err
}

// Writer charges the calls of an io.Writer to a stage.
type Writer struct {
	w io.Writer
	s *Stage
}

// NewWriter wraps w where it is opened. s may be nil.
func NewWriter(w io.Writer, s *Stage) *Writer { return &Writer{w, s} }

// Write writes to the wrapped writer.
func (w *Writer) Write(p []byte) (int, error) {
	call := w.s.Begin(BlkWrite)
	n, err := w.w.Write(p)
	call.End()
	w.s.AddBytesOut(int64(n))
	return n, err
}

// WriterAt does for an io.WriterAt what Writer does for an io.Writer.
type WriterAt struct {
	w io.WriterAt
	s *Stage
}

// NewWriterAt wraps w where it is opened. s may be nil.
func NewWriterAt(w io.WriterAt, s *Stage) *WriterAt { return &WriterAt{w, s} }

// WriteAt writes to the wrapped writer.
func (w *WriterAt) WriteAt(p []byte, off int64) (int, error) {
	call := w.s.Begin(BlkWrite)
	n, err := w.w.WriteAt(p, off)
	call.End()
	w.s.AddBytesOut(int64(n))
	return n, err
}
