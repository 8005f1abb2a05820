package markdup

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/alignpipe/alignpipe/internal/bamrec"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

// aligned is one read of a template in a test.
type aligned struct {
	unmapped bool
	ref, pos int32
	reverse  bool
	cigar    string // its lengths sum up to that of qual
	qual     string
	fails    bool
}

// template is a read or a pair.
type template struct {
	name          string
	reads         []aligned
	supplementary bool // the first read has one more record
}

// record is an encoded one, without block_size.
type record struct {
	ord      uint64
	ref, pos int32
	data     []byte
}

func (r *record) flag() uint16 { return bamrec.Flag(r.data) }

func parseCigar(s string) (ops []uint32, bases int) {
	n := 0
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n = n*10 + int(s[i]-'0')
			continue
		}
		op := slices.Index([]byte("MIDNSHP=X"), s[i])
		ops = append(ops, uint32(n<<4|op))
		if 0b110010011>>op&1 != 0 {
			bases += n
		}
		n = 0
	}
	return ops, bases
}

func sumOf(qual string) (sum int64) {
	for _, q := range []byte(qual) {
		if q >= 33+15 {
			sum += int64(q - 33)
		}
	}
	return sum
}

// encode returns the records of templates numbered from first on, in the order of the input.
func encode(first uint64, templates []template) (out []record) {
	for t, tmpl := range templates {
		for i := range tmpl.reads {
			ord := (first+uint64(t))<<OrdShift | uint64(i)<<(OrdShift-1)
			out = append(out, encodeRead(tmpl, i, ord, 0))
			if tmpl.supplementary && i == 0 && !tmpl.reads[0].unmapped {
				out = append(out, encodeRead(tmpl, i, ord+1, bamrec.FlagSupplementary))
			}
		}
	}
	return out
}

func encodeRead(tmpl template, i int, ord uint64, flag uint16) record {
	a := tmpl.reads[i]
	rec := bamrec.Record{Name: []byte(tmpl.name), Flag: flag, Ref: a.ref, Pos: a.pos, MateRef: -1, MatePos: -1, Qual: []byte(a.qual), Reverse: a.reverse}
	rec.Seq = slices.Repeat([]byte("A"), len(a.qual))
	rec.Cigar, _ = parseCigar(a.cigar)
	if a.unmapped {
		rec.Flag |= bamrec.FlagUnmapped
		rec.Ref, rec.Pos, rec.Cigar = -1, -1, nil
	} else if a.reverse {
		rec.Flag |= bamrec.FlagReverse
	}
	if a.fails {
		rec.Flag |= flagQCFail
	}
	if len(tmpl.reads) == 2 {
		mate := tmpl.reads[1-i]
		rec.Flag |= bamrec.FlagPaired | bamrec.FlagFirst<<i
		if mate.unmapped {
			rec.Flag |= flagMateUnmapped
			rec.MateRef, rec.MatePos = rec.Ref, rec.Pos
		} else {
			if mate.reverse {
				rec.Flag |= 0x20
			}
			rec.MateRef, rec.MatePos = mate.ref, mate.pos
			rec.Tags = bamrec.AppendTagString(rec.Tags, [2]byte{'M', 'C'}, []byte(mate.cigar))
			if a.unmapped {
				rec.Ref, rec.Pos = mate.ref, mate.pos
			}
		}
		rec.Tags = bamrec.AppendTagInt(rec.Tags, [2]byte{'m', 's'}, sumOf(mate.qual))
	}
	return record{ord: ord, ref: rec.Ref, pos: rec.Pos, data: bamrec.Append(nil, &rec)[4:]}
}

// sorted puts records into the order of the output: by place, strand and input; unplaced last.
func sorted(records []record) []record {
	out := slices.Clone(records)
	slices.SortFunc(out, func(a, b record) int {
		return cmp.Or(cmp.Compare(uint32(a.ref), uint32(b.ref)), cmp.Compare(a.pos, b.pos),
			cmp.Compare(a.flag()&bamrec.FlagReverse, b.flag()&bamrec.FlagReverse), cmp.Compare(a.ord, b.ord))
	})
	return out
}

// crowd describes random templates that meet each other often.
type crowd struct {
	seed      uint64
	templates int
	refs      int32
	span      int32 // starts lie below
	quals     string
	single    float64 // share of reads without a mate
	sameName  float64 // share of names that were there before
}

func (c crowd) make() []template {
	rng := rand.New(rand.NewPCG(c.seed, 77))
	out := make([]template, c.templates)
	for i := range out {
		t := &out[i]
		t.name = fmt.Sprintf("m:1:F:%d:%d:%d:%d", 1+rng.IntN(2), 1101+rng.IntN(2), rng.IntN(3000), rng.IntN(3000))
		if i > 0 && rng.Float64() < c.sameName {
			t.name = out[rng.IntN(i)].name
		}
		t.reads = append(t.reads, c.read(rng))
		if rng.Float64() >= c.single {
			t.reads = append(t.reads, c.read(rng))
			t.reads[1].fails = t.reads[0].fails
		}
		t.supplementary = rng.IntN(20) == 0
		if i > 0 && rng.IntN(4) == 0 { // the same fragment again, with other qualities and clips
			t.reads = nil
			for _, a := range out[rng.IntN(i)].reads {
				t.reads = append(t.reads, c.again(rng, a))
			}
		}
	}
	return out
}

func (c crowd) read(rng *rand.Rand) aligned {
	a := aligned{ref: rng.Int32N(c.refs), pos: rng.Int32N(c.span), reverse: rng.IntN(2) == 0, unmapped: rng.IntN(12) == 0, fails: rng.IntN(50) == 0}
	lead, tail := max(rng.IntN(12)-6, 0), max(rng.IntN(12)-6, 0)
	if lead > 0 {
		a.cigar = strconv.Itoa(lead) + "S"
	}
	a.cigar += []string{"8M", "5M1I3M", "5M2D3M", "3M1D1I5M", "9M", "4=1X4="}[rng.IntN(6)]
	if tail > 0 {
		a.cigar += strconv.Itoa(tail) + "S"
	}
	a.qual = c.qualities(rng, a.cigar)
	return a
}

func (c crowd) qualities(rng *rand.Rand, cigar string) string {
	_, n := parseCigar(cigar)
	b := make([]byte, n)
	for i := range b {
		b[i] = c.quals[rng.IntN(len(c.quals))]
	}
	return string(b)
}

// again is a read with the same unclipped 5' end and perhaps less of it aligned.
func (c crowd) again(rng *rand.Rand, a aligned) aligned {
	switch clip := int32(rng.IntN(4)); {
	case a.unmapped || clip == 0:
	case !a.reverse:
		ops, bases := parseCigar(a.cigar)
		start := a.pos
		if ops[0]&15 == 4 {
			start -= int32(ops[0] >> 4)
		}
		a.pos, a.cigar = start+clip, fmt.Sprintf("%dS%dM", clip, int32(bases)-clip)
		if a.pos < 0 {
			a.pos, a.cigar = 0, fmt.Sprintf("%dS%dM", -start, int32(bases)+start)
		}
	}
	a.qual = c.qualities(rng, a.cigar)
	return a
}

// decide adds records, dealt to workers by template, and returns the ordinals that are marked.
func decide(t *testing.T, cfg Config, tune tuning, records []record) (map[uint64]bool, Metrics) {
	t.Helper()
	if cfg.FS == nil {
		cfg.FS = vfs.OS
	}
	cfg.Dir = t.TempDir()
	m, err := newMarker(cfg, tune)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	d, err := decideWith(m, records)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return marked(d, records), d.Metrics
}

func decideWith(m *Marker, records []record) (*Decisions, error) {
	ctx := context.Background()
	for _, r := range records {
		w := m.Writer(int(r.ord >> OrdShift / 7 % uint64(m.cfg.Workers)))
		if err := w.Add(ctx, r.ord, r.data); err != nil {
			return nil, err
		}
	}
	return m.Decide(ctx)
}

func marked(d *Decisions, records []record) map[uint64]bool {
	out := map[uint64]bool{}
	for _, r := range records {
		if d.Duplicate(r.ord) {
			out[r.ord] = true
		}
	}
	return out
}

// ample is memory that is never full.
const ample = 64 << 20
