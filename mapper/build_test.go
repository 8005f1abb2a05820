package mapper

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// slowEntries is what an index must hold, by the definition of syncmers: bucket and entry.
func slowEntries(genome map[string][]byte, ix *Index) (want [][2]uint64) {
	shift := seedBits - ix.bucketBits
	for i, c := range ix.contigs {
		syncmers(codesOf(genome[string(ix.name(i))]), func(s seed) {
			e := (s.hash&(1<<shift-1))<<tagShift | uint64(c.Off+int64(s.pos))
			if s.rev {
				e |= revBit
			}
			want = append(want, [2]uint64{s.hash >> shift, e})
		})
	}
	slices.SortFunc(want, func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
	return want
}

func TestBuildHoldsExactlyTheSyncmers(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 31))
	repeats := testGenome(rng)
	copy(repeats["one"][100_000:], strings.Repeat("A", 3000))
	copy(repeats["one"][105_000:], strings.Repeat("ACACGT", 600))
	odd := map[string][]byte{"one": randomBases(rng, 9001), "two": randomBases(rng, 3003)}
	for range 60 {
		at := rng.IntN(9000)
		copy(odd["one"][at:], strings.Repeat("N", 1+rng.IntN(30)))
	}
	copy(odd["one"][8990:], "NNNNNNNNNNNNNNNN") // a hole at the end of one contig and the start of the next
	copy(odd["two"], "NNRYN")
	for _, c := range []struct {
		name   string
		genome map[string][]byte
	}{
		{"repeats", repeats},
		{"many holes, contigs that end inside a byte", odd},
		{"contigs shorter than a seed", map[string][]byte{"one": []byte("ACGTACGTACGTACGTACG"), "two": []byte("ACGGACGTACGTACGTACGT")}},
		{"nothing but N", map[string][]byte{"one": []byte(strings.Repeat("N", 5000)), "two": []byte("N")}},
	} {
		for _, parts := range []uint{0, 1, 5, 13, minBuckets} {
			for _, threads := range []int{1, 3} {
				ix := buildParts(t, c.genome, threads, parts)
				got := allEntries(ix)
				if want := slowEntries(c.genome, ix); !slices.Equal(got, want) {
					t.Errorf("%s, parts=2^%d, threads=%d: %d entries, want %d; or others", c.name, parts, threads, len(got), len(want))
				}
			}
		}
	}
}

// buildParts builds with a number of partitions that only a large genome would have.
func buildParts(t *testing.T, genome map[string][]byte, threads int, partBits uint) *Index {
	t.Helper()
	ref, err := LoadFASTA(vfs.OS, writeFASTA(t, genome))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := newPlan(context.Background(), ref, threads, partBits)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := plan.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ix.Close() })
	return ix
}

func allEntries(ix *Index) (got [][2]uint64) {
	for b := range len(ix.starts) - 1 {
		for _, e := range ix.entries[ix.starts[b]:ix.starts[b+1]] {
			got = append(got, [2]uint64{uint64(b), e})
		}
	}
	return got
}

// TestPlanBoundsWhatBuildTakes holds the bound to the sizes that dominate, on sequence with
// five times the usual density of seeds.
func TestPlanBoundsWhatBuildTakes(t *testing.T) {
	for name, bases := range map[string]string{"A only": strings.Repeat("A", 1<<20), "AC only": strings.Repeat("AC", 1<<19)} {
		path := filepath.Join(t.TempDir(), "x.fa")
		os.WriteFile(path, []byte(">a\n"+bases+"\n"), 0o666)
		ref, err := LoadFASTA(vfs.OS, path)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := NewPlan(context.Background(), ref, 2)
		if err != nil {
			t.Fatal(err)
		}
		bound := plan.Bytes()
		ix, err := plan.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		took := ix.Bytes() - ix.Reference.Bytes() + 8*int64(len(ix.entries)) // and the one partition's scratch
		if took > bound {
			t.Errorf("%s: took %d bytes, the bound is %d", name, took, bound)
		}
		ix.Close()
	}
}

func TestBuildStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ref, err := LoadFASTA(vfs.OS, writeFASTA(t, testGenome(rand.New(rand.NewPCG(32, 32)))))
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	if _, err := Build(ctx, ref, 2); err == nil {
		t.Error("a build goes on after its end was asked for")
	}
}

func TestIndexIsAtMost22BytesABase(t *testing.T) {
	for total := int64(40e6); total < 20e9; total += total / 7 {
		for _, density := range []float64{.18, .195, .2, .201} {
			seeds := int64(density * float64(total))
			if seeds >= 1<<32 {
				continue
			}
			size := total/4 + 8*seeds + 4<<bucketBitsFor(seeds, total)
			if perBase := float64(size) / float64(total); perBase > 2.2 {
				t.Errorf("%d bases, %d seeds: %.3f bytes a base", total, seeds, perBase)
			}
			if load := float64(seeds) / float64(int64(1)<<bucketBitsFor(seeds, total)); load > 8 {
				t.Errorf("%d bases, %d seeds: %.1f seeds to a bucket", total, seeds, load)
			}
		}
	}
}

// hugeReference has some bases far behind position 2^32, after contigs that are all N, whose
// packed memory is never touched.
func hugeReference(t testing.TB, tail []byte) *Reference {
	t.Helper()
	r := &Reference{}
	if err := r.reserve(3*maxContig + int64(len(tail))); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := r.addContig(fmt.Sprintf("n%d", i)); err != nil {
			t.Fatal(err)
		}
		r.contigs[i].Len = maxContig - int64(i)
		r.noteHole(r.total, r.total+r.contigs[i].Len)
		r.total += r.contigs[i].Len
	}
	if err := r.addContig("tail"); err != nil {
		t.Fatal(err)
	}
	if bad, err := r.pack(tail); bad >= 0 || err != nil {
		t.Fatal(bad, err)
	}
	r.contigs[3].Len = int64(len(tail))
	r.makeHints()
	r.makeHoleMap()
	return r
}

func TestPositionsAbove32Bits(t *testing.T) {
	tail := randomBases(rand.New(rand.NewPCG(33, 33)), 50_001)
	ix, err := Build(context.Background(), hugeReference(t, tail), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	off := ix.contigs[3].Off
	if off <= 1<<32 {
		t.Fatalf("the tail begins at %d", off)
	}
	n := 0
	syncmers(codesOf(tail), func(s seed) {
		n++
		want := uint64(off + int64(s.pos))
		if s.rev {
			want |= revBit
		}
		if hits := findHits(ix, s.hash); len(hits) != 1 || hits[0]&(revBit|posMask) != want {
			t.Errorf("%d: found %x, want %x", s.pos, hits, want)
		}
	})
	if n != len(ix.entries) || n == 0 {
		t.Errorf("%d entries of %d seeds", len(ix.entries), n)
	}
	if got := ix.contigAt(off + 7); got != 3 {
		t.Errorf("the tail is in contig %d", got)
	}
	if !ix.nearHole(off-1, 1) || ix.nearHole(off+5000, 1000) {
		t.Error("nearHole is wrong about the tail")
	}
	if got := unpack(nil, ix.packed, ix.holes, off-2, off+6); !slices.Equal(got[2:], codesOf(tail[:6])) || got[0] != 4 {
		t.Errorf("unpacked %v", got)
	}
}

// TestFiveGigabases builds and maps an index whose positions really need 33 bits. It takes
// minutes, 13 GB of memory and 17 GB of disk, hence the variable that asks for it.
func TestFiveGigabases(t *testing.T) {
	dir := os.Getenv("ALIGNPIPE_HUGE_TEST")
	if dir == "" || testing.Short() {
		t.Skip("ALIGNPIPE_HUGE_TEST names no folder")
	}
	path, unique := filepath.Join(dir, "five.fa"), filepath.Join(dir, "five.apx")
	writeHuge(t, path)
	defer os.Remove(path)
	ref, err := LoadFASTA(vfs.OS, path)
	if err != nil {
		t.Fatal(err)
	}
	ix, err := Build(context.Background(), ref, runtime.NumCPU())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(unique)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(unique)
	if _, err = ix.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	f.Close()
	ix.Close()
	if err := Check(vfs.OS, unique); err != nil {
		t.Fatal(err)
	}
	if ix, err = OpenIndex(vfs.OS, unique); err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	if size := float64(ix.Bytes()) / float64(ix.total); size > 2.2 {
		t.Errorf("%.3f bytes a base", size)
	}
	checkHuge(t, ix)
}

const hugeContigs, hugeLen = 5, 1_000_000_000

// writeHuge writes five contigs of random bases, each from a seed of its own.
func writeHuge(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for c := range hugeContigs {
		fmt.Fprintf(f, ">c%d\n", c)
		rng := rand.New(rand.NewPCG(34, uint64(c)))
		buf := make([]byte, 0, 1<<20)
		for done := 0; done < hugeLen; {
			buf = buf[:0]
			for ; len(buf) < 1e6; done += 32 {
				for x, i := rng.Uint64(), 0; i < 32; i++ {
					buf = append(buf, "ACGT"[x>>(2*i)&3])
				}
			}
			if _, err := f.Write(append(buf, '\n')); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// checkHuge looks up what stands at the start of each contig, and at random places.
func checkHuge(t *testing.T, ix *Index) {
	rng := rand.New(rand.NewPCG(35, 35))
	for i := range 20_000 {
		from := rng.Int64N(ix.total - 1000)
		if i < hugeContigs {
			from = int64(i) * hugeLen
		}
		codes := unpack(nil, ix.packed, ix.holes, from, from+1000)
		c := ix.contigAt(from)
		if want := int(from / hugeLen); c != want {
			t.Fatalf("contigAt(%d) = %d, want %d", from, c, want)
		}
		if ix.contigAt(from+999) != c {
			continue
		}
		syncmers(codes, func(s seed) {
			for _, e := range findHits(ix, s.hash) {
				if int64(e&posMask) == from+int64(s.pos) && e&revBit != 0 == s.rev {
					return
				}
			}
			t.Errorf("the seed at %d is not found", from+int64(s.pos))
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.fa")
	seq := randomBases(rand.New(rand.NewPCG(36, 36)), 20_000_000)
	var text []byte
	for s := append([]byte(nil), seq...); len(s) > 0; s = s[min(60, len(s)):] {
		text = append(append(text, s[:min(60, len(s))]...), '\n')
	}
	os.WriteFile(path, append([]byte(">a\n"), text...), 0o666)
	b.Run("step=load", func(b *testing.B) {
		b.SetBytes(int64(len(seq)))
		for b.Loop() {
			ref, err := LoadFASTA(vfs.OS, path)
			if err != nil {
				b.Fatal(err)
			}
			ref.Close()
		}
	})
	ref, err := LoadFASTA(vfs.OS, path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("step=plan", func(b *testing.B) {
		b.SetBytes(int64(len(seq)))
		for b.Loop() {
			if _, err := NewPlan(context.Background(), ref, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("step=build", func(b *testing.B) {
		b.SetBytes(int64(len(seq)))
		plan, _ := NewPlan(context.Background(), ref, 1)
		for b.Loop() {
			r := *ref
			r.release = nil
			plan.ref = &r
			ix, err := plan.Build(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			ix.free()
		}
	})
}
