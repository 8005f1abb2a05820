package mapper

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/biogo/hts/bam"
	"github.com/biogo/hts/bgzf"
	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/reader"
)

// mapAll returns the records of b as biogo/hts decodes them.
func mapAll(t *testing.T, ix *Index, p Params, batches ...*reader.Batch) []*sam.Record {
	t.Helper()
	var file bytes.Buffer
	bw := bgzf.NewWriter(&file, 1)
	text := "@HD\tVN:1.6\n"
	for i, name := range ix.Names() {
		text += fmt.Sprintf("@SQ\tSN:%s\tLN:%d\n", name, ix.Lens()[i])
	}
	bw.Write(bamrec.AppendHeader(nil, []byte(text), ix.Names(), ix.Lens()))
	w := NewWorker(ix, p)
	last := uint64(0)
	for _, b := range batches {
		err := w.Map(b, func(rec []byte, _, _ int32, _ bool, ord uint64) error {
			if ord <= last && ord > 0 {
				t.Fatalf("ordinal %d after %d", ord, last)
			}
			last = ord
			_, err := bw.Write(rec)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bw.Close()
	br, err := bam.NewReader(&file, 1)
	if err != nil {
		t.Fatal(err)
	}
	var recs []*sam.Record
	for {
		r, err := br.Read()
		if err != nil {
			return recs
		}
		recs = append(recs, r)
	}
}

func primaries(recs []*sam.Record) []*sam.Record {
	return slices.DeleteFunc(slices.Clone(recs), func(r *sam.Record) bool { return r.Flags&(sam.Secondary|sam.Supplementary) != 0 })
}

func TestSimulatedPairsComeHome(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 12))
	genome := testGenome(rng)
	ix := buildIndex(t, genome, 2)
	batch, where := simulate(rng, genome, 2000)
	p := DefaultParams()
	p.Insert = EstimateInsert(ix, p, []*reader.Batch{batch})
	if p.Insert.Mean < 290 || p.Insert.Mean > 310 || p.Insert.Pairs < 1000 {
		t.Errorf("insert size %+v, want a mean near 300", p.Insert)
	}
	recs := primaries(mapAll(t, ix, p, batch))
	if len(recs) != len(where) {
		t.Fatalf("%d primary records of %d reads", len(recs), len(where))
	}
	wrong, confident := 0, 0
	for i, r := range recs {
		off := r.Pos - where[i].pos
		if r.Ref.Name() != where[i].contig || off < -30 || off > 30 || (r.Flags&sam.Reverse != 0) != where[i].rev {
			wrong++
			if r.MapQ >= 20 {
				confident++
			}
		}
	}
	if wrong > len(where)/100 || confident > 2 {
		t.Errorf("%d of %d reads are wrong, %d of them at MAPQ 20 or more", wrong, len(where), confident)
	}
}

// TestRecordsAgreeWithTheReference checks CIGAR, MD and NM of every record against the
// genome, and what mates say about each other.
func TestRecordsAgreeWithTheReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 13))
	genome := testGenome(rng)
	ix := buildIndex(t, genome, 2)
	batch, _ := simulate(rng, genome, 500)
	chimera := append(slices.Clone(genome["one"][1000:1060]), genome["two"][2000:2060]...)
	batch.Reads[0].Seq, batch.Reads[0].Qual = chimera, bytes.Repeat([]byte("I"), 120)
	foreign := randomBases(rng, 100)
	batch.Reads[3].Seq, batch.Reads[3].Qual = foreign, bytes.Repeat([]byte("#"), 100)
	p := DefaultParams()
	p.ReadGroup = "s1"
	recs := mapAll(t, ix, p, batch)
	for _, r := range recs {
		checkRecord(t, genome, r)
	}
	prim := primaries(recs)
	for i := 0; i < len(prim); i += 2 {
		checkMates(t, prim[i], prim[i+1])
		checkMates(t, prim[i+1], prim[i])
	}
	if prim[3].Flags&sam.Unmapped == 0 || prim[3].Pos != prim[2].Pos {
		t.Errorf("the foreign read: %v, want it unmapped beside its mate", prim[3])
	}
	if len(recs) == len(prim) || recs[1].Flags&sam.Supplementary == 0 || recs[0].AuxFields.Get(sam.NewTag("SA")) == nil {
		t.Errorf("the chimera has no supplementary record: %v", recs[0])
	}
}

func checkRecord(t *testing.T, genome map[string][]byte, r *sam.Record) {
	t.Helper()
	if rg, ok := r.Tag([]byte("RG")); !ok || rg.Value() != "s1" {
		t.Errorf("%s: RG %v", r.Name, rg)
	}
	if r.Flags&sam.Unmapped != 0 {
		return
	}
	ref, seq := genome[r.Ref.Name()], r.Seq.Expand()
	i, j, nm := 0, r.Pos, 0
	var rebuilt strings.Builder // the reference as read and MD give it
	for _, op := range r.Cigar {
		n := op.Len()
		switch op.Type() {
		case sam.CigarMatch:
			for range n {
				if seq[i] != ref[j] || seq[i] == 'N' {
					nm++
				}
				i++
				j++
			}
		case sam.CigarInsertion:
			i += n
			nm += n
		case sam.CigarDeletion:
			j += n
			nm += n
		case sam.CigarSoftClipped:
			i += n
		}
	}
	if i != len(seq) {
		t.Errorf("%s: CIGAR %v covers %d of %d bases", r.Name, r.Cigar, i, len(seq))
	}
	if aux, _ := r.Tag([]byte("NM")); toInt(aux.Value()) != nm {
		t.Errorf("%s: NM %v, want %d", r.Name, aux, nm)
	}
	md, _ := r.Tag([]byte("MD"))
	rebuildReference(&rebuilt, r, seq, md.Value().(string))
	if got, want := rebuilt.String(), string(ref[r.Pos:j]); got != want {
		t.Errorf("%s: MD %v gives the reference %s, it is %s", r.Name, md, got, want)
	}
}

// rebuildReference writes the reference under r as its bases, CIGAR and MD tell it.
func rebuildReference(out *strings.Builder, r *sam.Record, seq []byte, md string) {
	var aligned []byte
	i := 0
	for _, op := range r.Cigar {
		switch op.Type() {
		case sam.CigarMatch:
			aligned = append(aligned, seq[i:i+op.Len()]...)
			i += op.Len()
		case sam.CigarInsertion, sam.CigarSoftClipped:
			i += op.Len()
		}
	}
	for len(md) > 0 {
		n, k := 0, 0
		for k < len(md) && md[k] >= '0' && md[k] <= '9' {
			n = n*10 + int(md[k]-'0')
			k++
		}
		out.Write(aligned[:n])
		aligned, md = aligned[n:], md[k:]
		if len(md) == 0 {
			return
		}
		if md[0] == '^' {
			for md = md[1:]; len(md) > 0 && md[0] >= 'A'; md = md[1:] {
				out.WriteByte(md[0])
			}
			continue
		}
		out.WriteByte(md[0])
		aligned, md = aligned[1:], md[1:]
	}
}

func toInt(v any) int {
	switch x := v.(type) {
	case uint8:
		return int(x)
	case int8:
		return int(x)
	case uint16:
		return int(x)
	case int16:
		return int(x)
	}
	return -1
}

func checkMates(t *testing.T, r, mate *sam.Record) {
	t.Helper()
	if r.MateRef.ID() != mate.Ref.ID() || r.MatePos != mate.Pos || r.TempLen != -mate.TempLen {
		t.Errorf("%s: mate at %v:%d, says %v:%d; lengths %d and %d", r.Name, mate.Ref, mate.Pos, r.MateRef, r.MatePos, r.TempLen, mate.TempLen)
	}
	if (r.Flags&sam.MateReverse != 0) != (mate.Flags&sam.Reverse != 0) || (r.Flags&sam.MateUnmapped != 0) != (mate.Flags&sam.Unmapped != 0) {
		t.Errorf("%s: flags %v and %v", r.Name, r.Flags, mate.Flags)
	}
	if mc, ok := r.Tag([]byte("MC")); ok != (mate.Flags&sam.Unmapped == 0) || ok && mc.Value() != mate.Cigar.String() {
		t.Errorf("%s: MC %v, mate has %v", r.Name, mc, mate.Cigar)
	}
}

func TestBatchBordersDoNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, 14))
	genome := testGenome(rng)
	ix := buildIndex(t, genome, 1)
	whole, _ := simulate(rng, genome, 300)
	var parts []*reader.Batch
	for at := 0; at < len(whole.Reads); {
		n := min(2*(1+rng.IntN(40)), len(whole.Reads)-at)
		parts = append(parts, &reader.Batch{First: int64(at / 2), Paired: true, Reads: whole.Reads[at : at+n]})
		at += n
	}
	collect := func(batches []*reader.Batch) (out []byte) {
		for i, b := range batches {
			w := NewWorker(ix, DefaultParams()) // a fresh one each, as any worker may get any batch
			if i%2 == 0 {
				w.Map(whole, func([]byte, int32, int32, bool, uint64) error { return nil })
			}
			w.Map(b, func(rec []byte, _, _ int32, _ bool, _ uint64) error { out = append(out, rec...); return nil })
		}
		return out
	}
	if !bytes.Equal(collect([]*reader.Batch{whole}), collect(parts)) {
		t.Error("records depend on where batches begin")
	}
}

func TestOddReadsAreWrittenUnmapped(t *testing.T) {
	ix := buildIndex(t, testGenome(rand.New(rand.NewPCG(15, 15))), 1)
	b := &reader.Batch{}
	for _, s := range []string{"", "A", "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN", strings.Repeat("AC", 60), "ACGRYKMSWBDHVN="} {
		b.Reads = append(b.Reads, reader.Read{Name: []byte("x"), Seq: []byte(s), Qual: []byte(strings.Repeat("I", len(s)))})
	}
	recs := mapAll(t, ix, DefaultParams(), b)
	if len(recs) != len(b.Reads) {
		t.Fatalf("%d records of %d reads", len(recs), len(b.Reads))
	}
	for i, r := range recs {
		if r.Flags != sam.Unmapped || r.Seq.Length != len(b.Reads[i].Seq) {
			t.Errorf("read %d: %v", i, r)
		}
	}
}

func TestLongReadMaps(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 16))
	genome := testGenome(rng)
	ix := buildIndex(t, genome, 1)
	s := revComp(mutate(rng, genome["one"][70_000:90_000], .03))
	recs := mapAll(t, ix, DefaultParams(), &reader.Batch{Reads: []reader.Read{{Name: []byte("long"), Seq: s, Qual: bytes.Repeat([]byte("5"), len(s))}}})
	if r := recs[0]; r.Pos < 69_980 || r.Pos > 70_020 || r.Flags != sam.Reverse || r.MapQ < 30 {
		t.Errorf("a read of 20 kb from one:70001 stands at %v:%d, flags %v, MAPQ %d", r.Ref, r.Pos, r.Flags, r.MapQ)
	}
}

func TestMapDoesNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 17))
	genome := agedGenome(rng, 150_000)
	ix := buildIndex(t, genome, 1)
	easy, _ := simPairs(rng, genome, 200, pairShape{100, 300, 30, FR, .01})
	hard, _ := simPairs(rng, genome, 200, pairShape{150, 300, 30, FR, .04})
	unlike(rng, hard, .5)
	dark := &reader.Batch{Paired: true}
	for _, r := range easy.Reads {
		dark.Reads = append(dark.Reads, readOf(string(r.Name), r.Seq))
		for range 3 {
			dark.Reads[len(dark.Reads)-1].Seq[rng.IntN(len(r.Seq))] = 'N'
		}
	}
	split := &reader.Batch{}
	for range 200 {
		split.Reads = append(split.Reads, readOf("x", chimera(rng, genome, 75, 75).seq[:150-rng.IntN(20)]))
	}
	p := DefaultParams()
	p.ReadGroup, p.Comments = "s1", true
	for name, b := range map[string]*reader.Batch{
		"pairs": easy, "single reads": {Reads: easy.Reads}, "pairs with errors": hard, "single reads with errors": {Reads: hard.Reads},
		"pairs with N": dark, "single reads with N": {Reads: dark.Reads}, "split reads": split,
	} {
		w := NewWorker(ix, p)
		run := func() { w.Map(b, func([]byte, int32, int32, bool, uint64) error { return nil }) }
		run()
		if n := testing.AllocsPerRun(3, run); n > 0 {
			t.Errorf("%s: %.0f allocations for %d reads", name, n, len(b.Reads))
		}
	}
}

func TestFragment(t *testing.T) {
	for _, c := range []struct {
		name   string
		o      Orientation
		s1     uint8
		f1, t1 int64
		s2     uint8
		f2, t2 int64
		size   int64
		ok     bool
	}{
		{"FR, mate 1 left", FR, 0, 100, 200, 1, 300, 400, 300, true},
		{"FR, mate 1 right", FR, 1, 300, 400, 0, 100, 200, 300, true},
		{"FR, same strand", FR, 0, 100, 200, 0, 300, 400, 0, false},
		{"FR, facing away", FR, 1, 100, 200, 0, 300, 400, -200, false},
		{"FR, read through", FR, 0, 100, 200, 1, 90, 190, 90, true},
		{"RF", RF, 1, 100, 200, 0, 300, 400, 300, true},
		{"FF", FF, 0, 100, 200, 0, 300, 400, 300, true},
		{"FF on the reverse strand", FF, 1, 300, 400, 1, 100, 200, 300, true},
	} {
		size, ok := fragment(c.o, c.s1, c.f1, c.t1, c.s2, c.f2, c.t2)
		if ok != c.ok || ok && size != c.size {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, size, ok, c.size, c.ok)
		}
	}
}

func TestCommentTags(t *testing.T) {
	for comment, want := range map[string]string{
		"BC:Z:ACGT\tXI:i:7":      "BCZACGT\x00XIC\x07",
		"1:N:0:ACGT":             "",
		"RG:Z:other\tBX:Z:A1":    "BXZA1\x00",
		"ab:A:c\tx:Z:short":      "abAc",
		"XH:H:1AE3\tXB:H:123":    "XHH1AE3\x00",
		"XI:i:9999999999\tYY:i:": "",
	} {
		if got := string(appendComment(nil, []byte(comment))); got != want {
			t.Errorf("%q: %q, want %q", comment, got, want)
		}
	}
}
