package pipeline

import (
	"bufio"
	"errors"
	"io"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
	"github.com/alignpipe/alignpipe/sorter"
)

// errAborted is what a writer is told when the run failed elsewhere.
var errAborted = errors.New("the run failed")

// sink is where records go, in the order of the output. begin comes before the first
// record, finish after the last, when all is known to be good: it writes the end, syncs,
// and gives the final names. abort may come at any time and after finish, where it does
// nothing.
type sink interface {
	begin(s *sorter.Sorter) error         // shards ask s for their cuts; nil where nothing is sorted
	add(key sorter.Key, rec []byte) error // rec with block_size; valid during the call. Shards look at key
	finish() error
	abort() error
}

// openSink makes the output's temporary files, so that a folder that cannot be written is
// known before the work.
func (r *run) openSink() (sink, error) {
	if r.cfg.Shards > 0 {
		return r.openShards()
	}
	dst, err := r.openDestination()
	if err != nil {
		return nil, err
	}
	if r.cfg.Format == FormatSAM {
		return r.keep(&samSink{run: r, dst: dst}), nil
	}
	return r.keep(&bamSink{run: r, dst: dst}), nil
}

func (r *run) keep(s sink) sink {
	r.undo.later(s.abort)
	return s
}

// destination is one output file: new under a temporary name, or a stream in place.
type destination struct {
	w      io.Writer
	atomic *vfs.Atomic // nil for a stream
	stream vfs.File    // nil for a file and for standard output
	sync   *meter.Stage
}

func (r *run) openDestination() (d *destination, err error) {
	d = &destination{sync: r.stages.Sync}
	switch cfg := r.cfg; {
	case cfg.Output == Stdio:
		d.w = cfg.Stdout
	case cfg.streams():
		d.stream, err = cfg.FS.OpenStream(cfg.Output)
		d.w = d.stream
	default:
		vfs.ReapStale(cfg.FS, cfg.Output)
		if d.atomic, err = vfs.CreateAtomic(cfg.FS, cfg.Output); err == nil {
			r.undo.file(d.atomic.Abort)
		}
		d.w = d.atomic
	}
	return d, err
}

// commit makes the file, and those that belong to it, durable under their final names.
func (d *destination) commit(others ...*vfs.Atomic) error {
	if d.atomic != nil {
		call := d.sync.Begin(meter.BlkSync)
		defer call.End()
		return vfs.Commit(append([]*vfs.Atomic{d.atomic}, others...)...)
	}
	return d.close()
}

func (d *destination) close() error {
	if d.stream == nil {
		return nil
	}
	f := d.stream
	d.stream = nil
	return f.Close()
}

func (r *run) bgzf() bgzfout.Config {
	st := r.stages
	return bgzfout.Config{Level: r.cfg.Level, Workers: r.cfg.Threads,
		CallStage: r.feeder, CompressStage: st.Deflate, WriteStage: st.Write}
}

// indexKind is the index to write: what the user chose, or what the reference allows.
func (r *run) indexKind() (bgzfout.IndexKind, error) {
	fits := bgzfout.BAIPossible(r.index.Lens())
	switch choice := r.cfg.Index; {
	case choice == IndexNone, choice == IndexAuto && (r.cfg.streams() || r.cfg.Sort == SortNone):
		return bgzfout.None, nil
	case choice == IndexCSI, choice == IndexAuto && !fits:
		return bgzfout.CSI, nil
	case !fits:
		return bgzfout.None, Misuse("leave --index out, or say --index csi", "a reference is too long for a bai index")
	}
	return bgzfout.BAI, nil
}

func (r *run) bamHeader() []byte {
	return bamrec.AppendHeader(nil, []byte(headerText(r.cfg, r.index)), r.index.Names(), r.index.Lens())
}

// bamSink writes one BAM, with its index when it is a file.
type bamSink struct {
	run *run
	dst *destination
	bam *bgzfout.BAM // nil before begin and after the end
}

func (s *bamSink) begin(*sorter.Sorter) (err error) {
	s.bam, err = bgzfout.NewBAM(s.dst.w, s.run.bamHeader(), s.run.index.Lens(), s.run.kind, s.run.bgzf())
	return err
}

func (s *bamSink) add(_ sorter.Key, rec []byte) error { return s.bam.Add(rec) }

func (s *bamSink) finish() error {
	if err := s.bam.Close(); err != nil {
		return err
	}
	if s.run.kind == bgzfout.None {
		return s.dst.commit()
	}
	index, err := vfs.CreateAtomic(s.run.cfg.FS, s.run.cfg.Output+s.run.kind.Ext())
	if err != nil {
		return err
	}
	s.run.undo.file(index.Abort)
	if err := s.bam.WriteIndex(index); err != nil {
		return err
	}
	return s.dst.commit(index)
}

func (s *bamSink) abort() error {
	if s.bam != nil {
		s.bam.Abort(errAborted)
		s.bam = nil
	}
	return s.dst.close()
}

// samSink writes SAM text.
type samSink struct {
	run   *run
	dst   *destination
	w     *bufio.Writer
	names []string
	line  []byte
}

func (s *samSink) begin(*sorter.Sorter) error {
	s.w = bufio.NewWriterSize(meter.NewWriter(s.dst.w, s.run.stages.Write), 256<<10)
	s.names = s.run.index.Names()
	_, err := s.w.WriteString(headerText(s.run.cfg, s.run.index))
	return err
}

func (s *samSink) add(_ sorter.Key, rec []byte) error {
	s.line = bamrec.AppendSAM(s.line[:0], rec[4:], s.names)
	_, err := s.w.Write(s.line)
	return err
}

func (s *samSink) finish() error {
	if err := s.w.Flush(); err != nil {
		return err
	}
	return s.dst.commit()
}

func (s *samSink) abort() error { return s.dst.close() }
