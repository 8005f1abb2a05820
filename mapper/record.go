package mapper

import (
	"encoding/binary"
	"strconv"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/reader"
)

// Flag bits of SAM.
const (
	flagPaired        = 0x1
	flagProper        = 0x2
	flagUnmapped      = 0x4
	flagMateUnmapped  = 0x8
	flagReverse       = 0x10
	flagMateReverse   = 0x20
	flagFirst         = 0x40
	flagLast          = 0x80
	flagSupplementary = 0x800
)

const maxSupplementary = 1<<(OrdShift-1) - 2 // records of one read fit their ordinals

// placement is one alignment in the terms of a SAM record.
type placement struct {
	aln       *alignment
	mapq      int
	ref, pos  int32    // contig and 0-based position on it
	cigar     []uint32 // with soft clips
	nm        int
	md, mdEnd int // in the encoder's md
}

// encoder turns the chosen alignments of a template into records; scratch of a Worker.
type encoder struct {
	rec, tags, text, md []byte
	window              []byte
	cigars              []uint32
	primary             [2]placement
	q                   []query // of the template
	extra               []placement
}

func (w *Worker) emitTemplate(reads []reader.Read, group []query, template uint64, emit Emit) error {
	e := &w.enc
	e.q = group
	e.cigars, e.md = e.cigars[:0], e.md[:0]
	for i := range reads {
		q := &e.q[i]
		e.primary[i] = placement{}
		if q.best >= 0 {
			e.primary[i] = w.placement(q, &q.alns[q.best], q.mapq)
		}
	}
	for i := range reads {
		if err := w.emitRead(reads, i, template, emit); err != nil {
			return err
		}
	}
	return nil
}

// emitRead emits the primary record of read i and its supplementary ones.
func (w *Worker) emitRead(reads []reader.Read, i int, template uint64, emit Emit) error {
	e, q := &w.enc, &w.enc.q[i]
	ord := template<<OrdShift | uint64(i)<<(OrdShift-1)
	e.extra = e.extra[:0]
	if q.best >= 0 {
		for k := range q.alns {
			a := &q.alns[k]
			if k == q.best || a.parent >= 0 || a.aligned < minScore || len(e.extra) == maxSupplementary {
				continue
			}
			e.extra = append(e.extra, w.placement(q, a, min(mapqSingle(a, q.unseen), q.mapq)))
		}
	}
	if err := w.emitRecord(reads, i, &e.primary[i], ord, emit); err != nil {
		return err
	}
	for k := range e.extra {
		if err := w.emitRecord(reads, i, &e.extra[k], ord+uint64(k)+1, emit); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) placement(q *query, a *alignment, mapq int) placement {
	e := &w.enc
	from := len(e.cigars)
	if a.qb > 0 {
		e.cigars = append(e.cigars, uint32(a.qb)<<4|opS)
	}
	if a.cigar == nil {
		e.cigars = append(e.cigars, uint32(a.qe-a.qb)<<4|opM)
	} else {
		e.cigars = append(e.cigars, a.cigar...)
	}
	if n := q.len(); a.qe < n {
		e.cigars = append(e.cigars, uint32(n-a.qe)<<4|opS)
	}
	p := placement{aln: a, mapq: mapq, ref: int32(a.contig), pos: int32(a.pos - w.ix.contigs[a.contig].Off)}
	p.cigar = e.cigars[from:len(e.cigars):len(e.cigars)]
	p.md = len(e.md)
	if !w.describeUngapped(q, &p) {
		w.describe(q, &p)
	}
	p.mdEnd = len(e.md)
	return p
}

// describeUngapped sets NM and MD of an alignment without gaps from its packed bases; it
// returns false where those do not tell.
func (w *Worker) describeUngapped(q *query, p *placement) bool {
	a := p.aln
	diag := a.pos - int64(a.qb)
	if a.cigar != nil || !w.comparable(q, a.contig, diag) {
		return false
	}
	e, d := &w.enc, &q.diffs
	d.compare(&w.ix.Reference, &q.bits[a.strand], q.len(), diag)
	last := a.qb
	for i := d.next(a.qb); i < a.qe; i = d.next(i + 1) {
		e.md = append(strconv.AppendInt(e.md, int64(i-last), 10), letters[w.ix.base(diag+int64(i))])
		last = i + 1
		p.nm++
	}
	e.md = strconv.AppendInt(e.md, int64(a.qe-last), 10)
	return true
}

// describe walks the alignment and sets its NM and MD.
func (w *Worker) describe(q *query, p *placement) {
	e := &w.enc
	e.window = unpack(e.window, w.ix.packed, w.ix.holes, p.aln.pos, p.aln.end)
	read := q.oriented(p.aln.strand)
	i, j, run := 0, 0, 0
	for _, op := range p.cigar {
		n := int(op >> 4)
		switch op & 15 {
		case opM:
			for range n {
				if c := e.window[j]; read[i] == c && c < 4 {
					run++
				} else {
					e.md = append(strconv.AppendInt(e.md, int64(run), 10), letters[c])
					run = 0
					p.nm++
				}
				i++
				j++
			}
		case opD:
			e.md = append(strconv.AppendInt(e.md, int64(run), 10), '^')
			for range n {
				e.md = append(e.md, letters[e.window[j]])
				j++
			}
			run = 0
			p.nm += n
		case opI:
			i += n
			p.nm += n
		case opS:
			i += n
		}
	}
	e.md = strconv.AppendInt(e.md, int64(run), 10)
}

func (w *Worker) emitRecord(reads []reader.Read, i int, p *placement, ord uint64, emit Emit) error {
	e, rd := &w.enc, &reads[i]
	r := bamrec.Record{Name: rd.Name, Ref: -1, Pos: -1, MateRef: -1, MatePos: -1, Seq: rd.Seq, Qual: rd.Qual}
	e.tags = e.tags[:0]
	supplementary := p != &e.primary[i]
	if p.aln == nil {
		r.Flag |= flagUnmapped
	} else {
		w.setPlaced(&r, p, i, supplementary)
	}
	if len(reads) == 2 {
		w.setMate(&r, reads, i, p)
	}
	if w.p.ReadGroup != "" {
		e.tags = bamrec.AppendTagString(e.tags, [2]byte{'R', 'G'}, []byte(w.p.ReadGroup))
	}
	if w.p.Comments {
		e.tags = appendComment(e.tags, rd.Comment)
	}
	r.Tags = e.tags
	e.rec = bamrec.Append(e.rec[:0], &r)
	return emit(e.rec, r.Ref, r.Pos, r.Flag&flagReverse != 0, ord)
}

// setPlaced fills the fields and tags that come from the read's own alignment.
func (w *Worker) setPlaced(r *bamrec.Record, p *placement, i int, supplementary bool) {
	e, q := &w.enc, &w.enc.q[i]
	n := q.len()
	r.Ref, r.Pos, r.MapQ, r.Cigar = p.ref, p.pos, uint8(p.mapq), p.cigar
	if p.aln.strand == 1 {
		r.Flag |= flagReverse
		r.Reverse = true
	}
	if supplementary {
		r.Flag |= flagSupplementary
		r.ClipFrom, r.ClipTo = p.aln.qb, p.aln.qe
		e.cigars = hardClips(e.cigars, p.cigar)
		r.Cigar = e.cigars[len(e.cigars)-len(p.cigar):]
	}
	e.tags = bamrec.AppendTagInt(e.tags, [2]byte{'N', 'M'}, int64(p.nm))
	e.tags = bamrec.AppendTagString(e.tags, [2]byte{'M', 'D'}, e.md[p.md:p.mdEnd])
	e.tags = bamrec.AppendTagInt(e.tags, [2]byte{'A', 'S'}, int64(p.aln.aligned))
	e.tags = bamrec.AppendTagInt(e.tags, [2]byte{'X', 'S'}, int64(p.aln.runnerUp()))
	if len(e.extra) > 0 {
		e.text = e.text[:0]
		if supplementary {
			e.text = w.appendSA(e.text, &e.primary[i])
		}
		for k := range e.extra {
			if &e.extra[k] != p {
				e.text = w.appendSA(e.text, &e.extra[k])
			}
		}
		e.tags = bamrec.AppendTagString(e.tags, [2]byte{'S', 'A'}, e.text)
	}
	if !supplementary && n > 0 {
		w.appendXA(q, p)
	}
}

// hardClips appends cigar with its soft clips turned into hard ones.
func hardClips(dst, cigar []uint32) []uint32 {
	for _, op := range cigar {
		if op&15 == opS {
			op = op&^15 | opH
		}
		dst = append(dst, op)
	}
	return dst
}

// setMate fills what a record says about the other read of the pair.
func (w *Worker) setMate(r *bamrec.Record, reads []reader.Read, i int, p *placement) {
	e := &w.enc
	mate := &e.primary[1-i]
	own := &e.primary[i]
	r.Flag |= flagPaired | flagFirst<<i
	if e.q[i].proper && e.q[1-i].proper {
		r.Flag |= flagProper
	}
	if mate.aln == nil {
		r.Flag |= flagMateUnmapped
	} else if mate.aln.strand == 1 {
		r.Flag |= flagMateReverse
	}
	switch {
	case mate.aln != nil:
		r.MateRef, r.MatePos = mate.ref, mate.pos
		if own.aln == nil { // an unmapped read stands beside its mate
			r.Ref, r.Pos = mate.ref, mate.pos
		}
		e.text = appendCigar(e.text[:0], mate.cigar)
		e.tags = bamrec.AppendTagString(e.tags, [2]byte{'M', 'C'}, e.text)
		e.tags = bamrec.AppendTagInt(e.tags, [2]byte{'M', 'Q'}, int64(mate.mapq))
	case own.aln != nil:
		r.MateRef, r.MatePos = own.ref, own.pos
	}
	if p.aln != nil && mate.aln != nil && p.ref == mate.ref {
		r.TLen = templateLength(p.aln, mate.aln)
	}
	e.tags = bamrec.AppendTagInt(e.tags, [2]byte{'m', 's'}, mateScore(reads[1-i].Qual))
}

// templateLength is bwa's TLEN: from the 5' end of a to that of b, ends included.
func templateLength(a, b *alignment) int32 {
	five := func(x *alignment) int64 {
		if x.strand == 1 {
			return x.end - 1
		}
		return x.pos
	}
	d := five(b) - five(a)
	switch {
	case d > 0:
		d++
	case d < 0:
		d--
	}
	return int32(d)
}

// mateScore is samtools' ms: the sum of base qualities of at least 15.
func mateScore(qual []byte) int64 {
	const (
		ones  = 0x0101010101010101
		high  = 0x8080808080808080
		pairs = 0x00ff00ff00ff00ff
		least = (15 + 33) * ones
	)
	sum := uint64(0)
	for ; len(qual) >= 8; qual = qual[8:] {
		x := binary.LittleEndian.Uint64(qual) // printable ASCII: no byte has its high bit
		good := ((x | high) - least) & high >> 7
		x = x&(good*0xff) - good*33
		sum += (x&pairs + x>>8&pairs) * (ones & pairs) >> 48
	}
	for _, c := range qual {
		if c >= 15+33 {
			sum += uint64(c - 33)
		}
	}
	return int64(sum)
}

func appendCigar(dst []byte, cigar []uint32) []byte {
	for _, op := range cigar {
		dst = append(strconv.AppendUint(dst, uint64(op>>4), 10), "MIDNSHP=X"[op&15])
	}
	return dst
}

func (w *Worker) appendSA(dst []byte, p *placement) []byte {
	dst = append(append(dst, w.ix.name(int(p.ref))...), ',')
	dst = append(strconv.AppendInt(dst, int64(p.pos)+1, 10), ',', "+-"[p.aln.strand], ',')
	dst = append(appendCigar(dst, p.cigar), ',')
	dst = append(strconv.AppendInt(dst, int64(p.mapq), 10), ',')
	return append(strconv.AppendInt(dst, int64(p.nm), 10), ';')
}

// appendXA lists the close alternatives to p, if there are few.
func (w *Worker) appendXA(q *query, p *placement) {
	e := &w.enc
	count := 0
	isClose := func(k int) bool {
		a := &q.alns[k]
		return a.parent == q.best && float64(a.score) >= xaRatio*float64(p.aln.score)
	}
	for k := range q.alns {
		if isClose(k) {
			count++
		}
	}
	if count == 0 || count > maxXA {
		return
	}
	e.text = e.text[:0]
	for k := range q.alns {
		if !isClose(k) {
			continue
		}
		alt := w.placement(q, &q.alns[k], 0)
		e.text = append(append(e.text, w.ix.name(int(alt.ref))...), ',', "+-"[alt.aln.strand])
		e.text = append(strconv.AppendInt(e.text, int64(alt.pos)+1, 10), ',')
		e.text = append(appendCigar(e.text, alt.cigar), ',')
		e.text = append(strconv.AppendInt(e.text, int64(alt.nm), 10), ';')
	}
	e.tags = bamrec.AppendTagString(e.tags, [2]byte{'X', 'A'}, e.text)
}
