package pipeline

import (
	"bufio"
	"errors"
	"io"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/host"
	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// errAborted is what a writer is told when the run failed elsewhere.
var errAborted = errors.New("the run failed")

// output is where records go. finish comes when all are known to be good: it writes the end,
// syncs, and gives the final names. abort may come at any time and after finish, where it
// does nothing.
type output interface {
	finish() error
	abort() error
}

// sink is an output that takes records in order. begin comes before the first record, settle after
// the last: then all are written and audited, and only the end is missing.
type sink interface {
	output
	begin() error
	add(bgzfout.Record) error
	settle() error
}

// openSink makes the output's temporary files, so that a folder that cannot be written is
// known before the work.
func (r *run) openSink() (output, error) {
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

func (r *run) keep(s output) output {
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
		r.outFd = func() uintptr { return fdOf(cfg.Stdout) }
	case cfg.streams():
		if d.stream, err = cfg.FS.OpenStream(cfg.Output); err == nil {
			r.outFd = d.stream.Fd
		}
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
func (d *destination) commit(r *run, others ...*vfs.Atomic) error {
	if d.atomic != nil {
		r.noteDebt(d.atomic)
		metrics, err := r.metricsFile(func(name string) (*vfs.Atomic, error) {
			f, err := vfs.CreateAtomic(r.cfg.FS, name)
			if err == nil {
				r.undo.file(f.Abort)
			}
			return f, err
		}, r.cfg.Output+duplicatesExt)
		if err != nil {
			return err
		}
		if metrics != nil {
			others = append(others, metrics)
		}
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
		CallStage: r.feeder, CollectStage: st.Collect, CompressStage: st.Deflate, WriteStage: st.Write}
}

// indexKind is the index to write: what the user chose, or what the reference allows.
func (r *run) indexKind() (bgzfout.IndexKind, error) {
	fits := bgzfout.BAIPossible(r.index.Lens())
	switch choice := r.cfg.Index; {
	case choice == IndexNone, choice == IndexAuto && (r.cfg.streams() || r.cfg.Sort != SortCoordinate):
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

func (s *bamSink) begin() (err error) {
	r, cfg := s.run, s.run.bgzf()
	if s.dst.atomic != nil {
		cfg.Writers = fileWriters(cfg.Workers)
	}
	r.stages.Write.SetWorkers(max(1, cfg.Writers))
	r.audit = newAuditor(cfg.Workers + 1)
	cfg.Visit = r.visitor(0)
	s.bam, err = bgzfout.NewBAM(s.dst.w, r.bamHeader(), r.index.Lens(), r.kind, cfg)
	return err
}

// fileWriters is how many goroutines write one file: more than one where that many threads
// may come up with more than one can bring to a slow or distant file system.
func fileWriters(threads int) int { return min(max(threads/4, 1), 4) }

func (s *bamSink) add(rec bgzfout.Record) error { return s.bam.AddRecord(rec) }

func (s *bamSink) settle() error { return s.bam.Drain() }

func (s *bamSink) finish() error {
	if err := s.bam.Close(); err != nil {
		return err
	}
	if s.run.kind == bgzfout.None {
		return s.dst.commit(s.run)
	}
	index, err := vfs.CreateAtomic(s.run.cfg.FS, s.run.cfg.Output+s.run.kind.Ext())
	if err != nil {
		return err
	}
	s.run.undo.file(index.Abort)
	if err := s.bam.WriteIndex(index); err != nil {
		return err
	}
	return s.dst.commit(s.run, index)
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
	visit func(worker int, tag uint64, rec []byte)
	names []string
	line  []byte
}

func (s *samSink) begin() error {
	s.run.audit = newAuditor(1)
	s.visit = s.run.visitor(0)
	s.w = bufio.NewWriterSize(meter.NewWriter(s.dst.w, s.run.stages.Write), 256<<10)
	s.names = s.run.index.Names()
	_, err := s.w.WriteString(headerText(s.run.cfg, s.run.index))
	return err
}

func (s *samSink) add(rec bgzfout.Record) error {
	s.visit(0, rec.Tag, rec.Data)
	s.line = bamrec.AppendSAM(s.line[:0], rec.Data[4:], s.names)
	_, err := s.w.Write(s.line)
	return err
}

func (s *samSink) settle() error { return s.w.Flush() }

func (s *samSink) finish() error { return s.dst.commit(s.run) }

func (s *samSink) abort() error { return s.dst.close() }

// noteDebt keeps how much of a file is not yet on its device: what the sync to come has to pay.
func (r *run) noteDebt(f *vfs.Atomic) {
	fd := f.Fd()
	if fd == vfs.NoFd {
		return
	}
	c := host.Cached(fd)
	if c.DirtyBytes == nil || c.WritebackBytes == nil {
		return
	}
	debt := *c.DirtyBytes + *c.WritebackBytes
	r.debt = &debt
}
