package gather

import (
	"io"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// output is the file to write, under a temporary name, or a stream in place.
type output struct {
	fsys   vfs.FS
	path   string
	kind   bgzfout.IndexKind // None for a stream
	w      io.Writer
	atomic *vfs.Atomic // nil for a stream
	index  *vfs.Atomic // nil without index, or before it is written
	stream vfs.File    // nil for a file and for standard output
}

func (r *run) openOutput(kind bgzfout.IndexKind) (o *output, err error) {
	o = &output{fsys: r.cfg.FS, path: r.cfg.Output, kind: kind}
	switch {
	case o.path == Stdout:
		o.w = r.cfg.Stdout
	case r.streams():
		if o.stream, err = o.fsys.OpenStream(o.path); err == nil {
			o.w = o.stream
		}
	default:
		vfs.ReapStale(o.fsys, o.path)
		if o.atomic, err = vfs.CreateAtomic(o.fsys, o.path); err == nil {
			o.w = o.atomic
		}
	}
	return o, outputError(err)
}

// writeIndex has the index written beside the output, under a temporary name too.
func (o *output) writeIndex(write func(dst io.Writer, cfg bgzfout.Config) error) (err error) {
	if o.kind == bgzfout.None {
		return nil
	}
	if o.index, err = vfs.CreateAtomic(o.fsys, o.path+o.kind.Ext()); err == nil {
		err = write(o.index, bgzfout.Config{Level: 1})
	}
	return outputError(err)
}

// commit makes the output and its index durable under their names.
func (o *output) commit() error {
	switch {
	case o.stream != nil:
		f := o.stream
		o.stream = nil
		return outputError(f.Close())
	case o.atomic == nil:
		return nil
	case o.index == nil:
		return outputError(vfs.Commit(o.atomic))
	}
	return outputError(vfs.Commit(o.atomic, o.index))
}

// abort leaves nothing behind. After commit it does nothing.
func (o *output) abort() {
	for _, a := range []*vfs.Atomic{o.index, o.atomic} {
		if a != nil {
			_ = a.Abort() // the reason for stopping is what the caller needs
		}
	}
	if o.stream != nil {
		_ = o.stream.Close()
	}
}
