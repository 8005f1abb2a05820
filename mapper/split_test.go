package mapper

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/reader"
)

// elsewhere is one entry of an SA or XA tag.
type elsewhere struct {
	contig string
	pos    int // 0-based
	rev    bool
	cigar  string
	mapq   int // SA only
	nm     int
}

// listed takes SA (contig,pos,strand,CIGAR,MAPQ,NM;) or XA (contig,±pos,CIGAR,NM;) apart.
func listed(t *testing.T, r *sam.Record, tag string) (out []elsewhere) {
	t.Helper()
	aux, ok := r.Tag([]byte(tag))
	if !ok {
		return nil
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", r.Name, aux)
		}
		return n
	}
	for _, one := range strings.Split(strings.TrimSuffix(aux.Value().(string), ";"), ";") {
		f := strings.Split(one, ",")
		if tag == "SA" {
			out = append(out, elsewhere{f[0], number(f[1]) - 1, f[2] == "-", f[3], number(f[4]), number(f[5])})
			continue
		}
		out = append(out, elsewhere{f[0], number(f[1][1:]) - 1, f[1][0] == '-', f[2], 0, number(f[3])})
	}
	return out
}

// self is what others say of r.
func self(t *testing.T, r *sam.Record) elsewhere {
	soft := strings.ReplaceAll(r.Cigar.String(), "H", "S")
	return elsewhere{r.Ref.Name(), r.Pos, r.Flags&sam.Reverse != 0, soft, int(r.MapQ), tagInt(t, r, "NM")}
}

// checkSplit holds the records of one read to each other: the primary has the whole read, the
// others the part that they align, and each lists all others, the primary first.
func checkSplit(t *testing.T, seq []byte, recs []*sam.Record) {
	t.Helper()
	for i, r := range recs {
		if (r.Flags&sam.Supplementary != 0) != (i > 0) {
			t.Errorf("%s: record %d has flags %v", r.Name, i, r.Flags)
		}
		var want []elsewhere
		for k, other := range recs {
			if k != i {
				want = append(want, self(t, other))
			}
		}
		if got := listed(t, r, "SA"); !slices.Equal(got, want) {
			t.Errorf("%s, record %d: SA %+v, want %+v", r.Name, i, got, want)
		}
		whole := oriented(seq, r.Flags&sam.Reverse != 0)
		from, to := 0, len(whole)
		if c := r.Cigar[0]; c.Type() == sam.CigarHardClipped {
			from = c.Len()
		}
		if c := r.Cigar[len(r.Cigar)-1]; c.Type() == sam.CigarHardClipped {
			to -= c.Len()
		}
		if got := r.Seq.Expand(); !bytes.Equal(got, whole[from:to]) || len(r.Qual) != len(got) {
			t.Errorf("%s, record %d (%v): bases %s, want %s", r.Name, i, r.Cigar, got, whole[from:to])
		}
		hard := strings.Contains(r.Cigar.String(), "H")
		if soft := strings.Contains(r.Cigar.String(), "S"); hard != (i > 0) || soft == hard {
			t.Errorf("%s, record %d: clipped %v", r.Name, i, r.Cigar)
		}
	}
}

// parts are two places of the genome that a chimera joins.
type parts struct {
	at  [2]home
	seq []byte
}

func chimera(rng *rand.Rand, genome map[string][]byte, n1, n2 int) (p parts) {
	for k, n := range [2]int{n1, n2} {
		name := []string{"one", "two"}[rng.IntN(2)]
		at, rev := rng.IntN(len(genome[name])-n), rng.IntN(2) == 1
		part := genome[name][at : at+n]
		if rev {
			part = revComp(part)
		}
		p.at[k] = home{truth{name, at, rev}, n}
		p.seq = append(p.seq, part...)
	}
	return p
}

// covers says whether r aligns the bases that came from h, and few others.
func covers(r *sam.Record, h home) bool {
	return r.Ref.Name() == h.contig && (r.Flags&sam.Reverse != 0) == h.rev && abs(r.Pos-h.pos) < 12 && abs(r.End()-h.pos-h.n) < 12
}

func abs(x int) int { return max(x, -x) }

func TestSplitReads(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 1))
	genome := map[string][]byte{"one": randomBases(rng, 60_000), "two": randomBases(rng, 60_000)}
	ix := buildIndex(t, genome, 1)
	for _, n := range [][2]int{{80, 70}, {70, 80}, {60, 90}, {100, 50}, {45, 105}, {400, 350}} {
		var want []parts
		b := &reader.Batch{}
		for i := range 100 {
			p := chimera(rng, genome, n[0], n[1])
			want = append(want, p)
			b.Reads = append(b.Reads, readOf(fmt.Sprint(i), p.seq))
		}
		lost := 0
		for i, recs := range byRead(mapAll(t, ix, withReadGroup(DefaultParams()), b)) {
			for _, r := range recs {
				checkInside(t, genome, unclipped(r))
			}
			checkSplit(t, want[i].seq, recs)
			long, short := 0, 1
			if n[1] > n[0] {
				long, short = 1, 0
			}
			if len(recs) != 2 || !covers(recs[0], want[i].at[long]) || !covers(recs[1], want[i].at[short]) || recs[1].MapQ > recs[0].MapQ {
				lost++
			}
		}
		if lost > 3 {
			t.Errorf("%d+%d bases: %d of 100 chimeras are not placed by both parts", n[0], n[1], lost)
		}
	}
}

// unclipped is r without its hard clips, which checkRecord does not know.
func unclipped(r *sam.Record) *sam.Record {
	c := *r
	c.Cigar = slices.DeleteFunc(slices.Clone(r.Cigar), func(op sam.CigarOp) bool { return op.Type() == sam.CigarHardClipped })
	return &c
}

// byRead groups records that follow each other and are of one read.
func byRead(recs []*sam.Record) (out [][]*sam.Record) {
	for i, r := range recs {
		if i > 0 && r.Name == recs[i-1].Name && r.Flags&sam.Read2 == recs[i-1].Flags&sam.Read2 {
			out[len(out)-1] = append(out[len(out)-1], r)
			continue
		}
		out = append(out, []*sam.Record{r})
	}
	return out
}

// TestChimericPairs joins fragments, so that either mate, or both, or neither may cross the
// joint.
func TestChimericPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 2))
	genome := map[string][]byte{"one": randomBases(rng, 60_000), "two": randomBases(rng, 60_000)}
	ix := buildIndex(t, genome, 1)
	const size, n = 320, 150
	b := &reader.Batch{Paired: true}
	var joints []int
	for i := range 300 {
		joint := 20 + rng.IntN(size-40)
		p := chimera(rng, genome, joint, size-joint)
		joints = append(joints, joint)
		b.Reads = append(b.Reads, readOf(fmt.Sprint(i), p.seq[:n]), readOf(fmt.Sprint(i), revComp(p.seq[size-n:])))
	}
	all := mapAll(t, ix, withReadGroup(DefaultParams()), b)
	prim := primaries(all)
	for i := 0; i < len(prim); i += 2 {
		checkMates(t, prim[i], prim[i+1])
		checkMates(t, prim[i+1], prim[i])
	}
	lost := 0
	for i, recs := range byRead(all) {
		for _, r := range recs {
			checkInside(t, genome, unclipped(r))
		}
		if len(recs) > 1 {
			checkSplit(t, b.Reads[i].Seq, recs)
		}
		first := min(max(joints[i/2]-[2]int{0, size - n}[i%2], 0), n) // bases of this mate that lie before the joint
		if split := min(first, n-first) >= 45; split != (len(recs) == 2) && (split || first == 0 || first == n) {
			lost++
		}
	}
	if lost > 6 {
		t.Errorf("%d of 600 reads of joined fragments have a wrong number of records", lost)
	}
}

// copiesGenome has one sequence of 400 bases at each of the given places of contig one, with
// that many differences spread over each, and an insertion in the odd ones of those with any.
func copiesGenome(rng *rand.Rand, places []int, differences int) map[string][]byte {
	one := randomBases(rng, 30_000)
	element := randomBases(rng, 400)
	for k, at := range places {
		c := bytes.Clone(element)
		for d := range differences {
			i := (2*d+1)*400/(2*differences) + k%7
			c[i] = "ACGT"[(code[c[i]]+1+byte(k)%3)&3]
		}
		if differences > 0 && k%2 == 1 {
			c = append(append(bytes.Clone(c[:200]), 'A', 'C'), c[200:]...)
		}
		if k%3 == 2 {
			c = revComp(c)
		}
		copy(one[at:], c)
	}
	return map[string][]byte{"one": one, "two": randomBases(rng, 1000)}
}

func TestXAListsCloseCopies(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 3))
	for _, copies := range []int{1, 2, 4, 6, 7, 12} {
		for _, differences := range []int{0, 4} {
			var places []int
			for k := range copies {
				places = append(places, 1000+2000*k)
			}
			genome := copiesGenome(rng, places, differences)
			ix := buildIndex(t, genome, 1)
			var seqs [][]byte
			for at := 0; at <= 250; at += 10 {
				read := genome["one"][1000+at : 1150+at]
				seqs = append(seqs, read, revComp(read))
			}
			complete := 0
			for i, r := range primaries(mapAll(t, ix, withReadGroup(DefaultParams()), singles(seqs...))) {
				checkInside(t, genome, r)
				xa := listed(t, r, "XA")
				for _, x := range xa {
					checkAlternative(t, genome, seqs[i], x)
				}
				as, xs := tagInt(t, r, "AS"), tagInt(t, r, "XS")
				switch {
				case as != 150:
					t.Errorf("%d copies: AS %d of a perfect read", copies, as)
				case copies == 1 && (xs != 0 || xa != nil || r.MapQ != 60):
					t.Errorf("one copy: XS %d, XA %v, MAPQ %d", xs, xa, r.MapQ)
				case copies > 1 && differences == 0 && (xs != as || r.MapQ > 3):
					t.Errorf("%d identical copies: AS %d, XS %d, MAPQ %d", copies, as, xs, r.MapQ)
				case copies > maxXA+1 && differences == 0 && xa != nil:
					t.Errorf("%d copies: XA lists %d", copies, len(xa))
				case len(xa) > maxXA:
					t.Errorf("XA lists %d", len(xa))
				}
				if copies <= maxXA+1 && len(xa) == copies-1 {
					complete++
				}
			}
			if differences == 0 && copies <= maxXA+1 && complete < len(seqs)-2 {
				t.Errorf("%d copies: XA is complete in %d of %d reads", copies, complete, len(seqs))
			}
		}
	}
}

// checkAlternative aligns the read as x says, and compares NM.
func checkAlternative(t *testing.T, genome map[string][]byte, seq []byte, x elsewhere) {
	t.Helper()
	cigar, err := sam.ParseCigar([]byte(x.cigar))
	if err != nil {
		t.Fatal(err)
	}
	ref, read := genome[x.contig][x.pos:], oriented(seq, x.rev)
	nm := 0
	for _, op := range cigar {
		n := op.Len()
		switch op.Type() {
		case sam.CigarMatch:
			for k := range n {
				if read[k] != ref[k] {
					nm++
				}
			}
			read, ref = read[n:], ref[n:]
		case sam.CigarInsertion:
			nm, read = nm+n, read[n:]
		case sam.CigarDeletion:
			nm, ref = nm+n, ref[n:]
		case sam.CigarSoftClipped:
			read = read[n:]
		}
	}
	if nm != x.nm || len(read) != 0 {
		t.Errorf("XA %+v: NM is %d, %d bases are left", x, nm, len(read))
	}
}

func TestReadsOfARepeatSpreadByTheirOrdinals(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 4))
	var places []int
	for k := range 8 {
		places = append(places, 1000+3000*k)
	}
	genome := copiesGenome(rng, places, 0)
	ix := buildIndex(t, genome, 1)
	element := genome["one"][1000:1400]
	for _, paired := range []bool{false, true} {
		whole := &reader.Batch{Paired: paired, First: 7}
		for range 800 {
			whole.Reads = append(whole.Reads, readOf("x", element[50:200]))
			if paired {
				whole.Reads = append(whole.Reads, readOf("x", revComp(element[220:370])))
			}
		}
		step := 1
		if paired {
			step = 2
		}
		all := mapAll(t, ix, DefaultParams(), whole)
		count := map[int]int{}
		for i, r := range all {
			count[r.Pos/3000]++
			if paired && r.Flags&sam.ProperPair == 0 {
				t.Fatalf("pair %d is torn apart", i/2)
			}
		}
		for k := range places {
			if n := count[k] * 8; n < 8*len(all)/16 || n > 16*len(all)/8 {
				t.Errorf("paired=%v: copy %d has %d of %d reads", paired, k, count[k], len(all))
			}
		}
		for range 60 { // any part of the input, by a worker that has seen others
			from := rng.IntN(800)
			n := 1 + rng.IntN(min(100, 800-from))
			part := &reader.Batch{Paired: paired, First: 7 + int64(from), Reads: whole.Reads[step*from : step*(from+n)]}
			for i, r := range mapAll(t, ix, DefaultParams(), part) {
				if want := all[step*from+i]; r.Pos != want.Pos || r.Flags != want.Flags || r.MapQ != want.MapQ {
					t.Fatalf("paired=%v: read %d in a batch of its own stands at %d, in the whole at %d", paired, from+i/step, r.Pos, want.Pos)
				}
			}
		}
	}
}
