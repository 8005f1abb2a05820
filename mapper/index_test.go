package mapper

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

func TestBuildDoesNotDependOnThreads(t *testing.T) {
	genome := testGenome(rand.New(rand.NewPCG(5, 5)))
	want := buildIndex(t, genome, 1)
	for _, threads := range []int{2, 7} {
		ix := buildIndex(t, genome, threads)
		if !slices.Equal(ix.starts, want.starts) || !slices.Equal(ix.entries, want.entries) {
			t.Errorf("threads=%d: another index than with one", threads)
		}
	}
}

// findHits returns the entries of one seed.
func findHits(ix *Index, hash uint64) []uint64 {
	var l lookUps
	s := seedHits{seed: seed{hash: hash}}
	l.add(&s)
	l.run(ix)
	return ix.entries[s.lo:s.hi]
}

func TestFindReturnsEveryPlaceOfASeed(t *testing.T) {
	genome := testGenome(rand.New(rand.NewPCG(6, 6)))
	ix := buildIndex(t, genome, 2)
	n := 0
	for i, c := range ix.contigs {
		name := string(ix.name(i))
		syncmers(codesOf(genome[name]), func(s seed) {
			n++
			want := uint64(c.Off + int64(s.pos))
			if s.rev {
				want |= revBit
			}
			for _, e := range findHits(ix, s.hash) {
				if e&(revBit|posMask) == want {
					return
				}
			}
			t.Errorf("%s:%d: its seed is not found", name, s.pos)
		})
	}
	if n != len(ix.entries) {
		t.Errorf("index has %d seeds, the genome %d", len(ix.entries), n)
	}
}

func TestIndexFileRoundTrip(t *testing.T) {
	ix := buildIndex(t, testGenome(rand.New(rand.NewPCG(7, 7))), 2)
	ix.SetSource(1234, 5678)
	var file bytes.Buffer
	if n, err := ix.WriteTo(&file); err != nil || n != int64(file.Len()) {
		t.Fatalf("WriteTo = %d, %v; wrote %d", n, err, file.Len())
	}
	path := filepath.Join(t.TempDir(), "x.apx")
	os.WriteFile(path, file.Bytes(), 0o666)
	got, err := OpenIndex(vfs.OS, path)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if !slices.Equal(got.contigs, ix.contigs) || !bytes.Equal(got.names, ix.names) || !slices.Equal(got.hints, ix.hints) || got.hintShift != ix.hintShift ||
		!slices.Equal(got.holeMap, ix.holeMap) || !slices.Equal(got.holes, ix.holes) || !bytes.Equal(got.packed, ix.packed) ||
		!slices.Equal(got.starts, ix.starts) || !slices.Equal(got.entries, ix.entries) || got.source != ix.source {
		t.Error("the index read back is another one")
	}
	for name, packed := range map[string][]byte{"built": ix.packed, "mapped": got.packed} {
		if behind := packed[len(packed):cap(packed)]; len(behind) < packedSlack || len(bytes.Trim(behind[:packedSlack], "\x00")) > 0 {
			t.Errorf("%s: %d bytes can be read behind the genome, or they are not zero", name, len(behind))
		}
	}
	if err := Check(vfs.OS, path); err != nil {
		t.Error(err)
	}
	if is, err := IsIndex(vfs.OS, path); !is || err != nil {
		t.Errorf("IsIndex = %v, %v", is, err)
	}
}

func TestDamagedIndexIsRefused(t *testing.T) {
	ix := buildIndex(t, map[string][]byte{"one": randomBases(rand.New(rand.NewPCG(8, 8)), 500)}, 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	data := file.Bytes()
	for _, n := range []int{0, 7, 8, 100, apxHeader, apxHeader + 10, len(data) / 2, len(data) - apxAlign, len(data) - 1} {
		if _, err := parseIndex(data[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: accepted", n, len(data))
		}
	}
	if _, err := parseIndex(append(slices.Clone(data), 0)); err == nil {
		t.Error("a byte too many: accepted")
	}
	for i := range apxSums + 16 {
		bad := slices.Clone(data)
		bad[i] ^= 1
		if _, err := parseIndex(bad); err == nil {
			t.Errorf("header byte %d flipped: accepted", i)
		}
	}
	path := filepath.Join(t.TempDir(), "x.apx")
	bad := slices.Clone(data)
	bad[len(bad)-2*apxAlign-1] ^= 1
	os.WriteFile(path, bad, 0o666)
	if err := Check(vfs.OS, path); !errors.Is(err, ErrInput) {
		t.Errorf("Check of a damaged body = %v", err)
	}
}

// reseal makes the header's checksum right again, as an attacker or a broken writer would.
func reseal(data []byte) {
	binary.LittleEndian.PutUint64(data[apxSums+8:], xxh3.Hash(data[:apxSums+8]))
}

func TestIndexWithDamagedTablesIsRefused(t *testing.T) {
	ix := buildIndex(t, testGenome(rand.New(rand.NewPCG(8, 8))), 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	le := binary.LittleEndian
	section := func(data []byte, i int) []byte { return data[le.Uint64(data[apxTable+16*i:]):] }
	for _, c := range []struct {
		name string
		do   func(data []byte)
	}{
		{"too few bucket bits", func(d []byte) { d[16] = minBuckets - 1 }},
		{"other bucket bits", func(d []byte) { d[16]++ }},
		{"another total", func(d []byte) { d[24]++ }},
		{"a negative total", func(d []byte) { d[31] = 0x80 }},
		{"another number of contigs", func(d []byte) { d[32]++ }},
		{"sections that overlap", func(d []byte) { copy(d[apxTable+16:], d[apxTable:apxTable+8]) }},
		{"a section that is longer than the file", func(d []byte) { d[apxTable+15] = 1 }},
		{"a section of nearly 2^64 bytes", func(d []byte) { le.PutUint64(d[apxTable+8:], ^uint64(0)) }},
		{"contigs with a gap between them", func(d []byte) { section(d, secContigs)[contigBytes]++ }},
		{"a contig of negative length", func(d []byte) { section(d, secContigs)[15] = 0x80 }},
		{"a name beyond the names", func(d []byte) { section(d, secContigs)[contigBytes+36] = 200 }},
		{"a hole that ends before it starts", func(d []byte) { section(d, secHoles)[9] = 0 }},
		{"a hole behind the genome", func(d []byte) { section(d, secHoles)[12] = 1 }},
	} {
		data := slices.Clone(file.Bytes())
		if reseal(data); parseError(data) != nil {
			t.Fatal("the undamaged index is refused")
		}
		c.do(data)
		reseal(data)
		if parseError(data) == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}

func parseError(data []byte) error {
	_, err := parseIndex(data)
	return err
}

// exercise uses an index that was accepted the way mapping does; bounds must hold.
func exercise(ix *Index) {
	for h := range uint64(2000) {
		for _, e := range findHits(ix, mixK(h*0x9e3779b97f4a7c15&kMask)^h) {
			ix.name(ix.contigAt(int64(e & posMask)))
		}
	}
	for p := int64(-5); p < ix.total+70; p += 1 + ix.total/500 {
		c := ix.contigs[ix.contigAt(p)]
		if p >= 0 && p < ix.total && c.Len > 0 {
			to := min(p+100, ix.total)
			ix.nearHole(p, to-p)
			unpack(nil, ix.packed, ix.holes, p, to)
		}
	}
	ix.Names()
}

func TestDamagedBodiesAreUsedWithinBounds(t *testing.T) {
	ix := buildIndex(t, testGenome(rand.New(rand.NewPCG(8, 8))), 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	rng := rand.New(rand.NewPCG(18, 18))
	for range 60 {
		data := slices.Clone(file.Bytes())
		for range 1000 {
			data[apxHeader+rng.IntN(len(data)-apxHeader)] ^= byte(1 + rng.IntN(255))
		}
		for i := 0; i < 64; i++ { // and the hints, a small section
			at := int(binary.LittleEndian.Uint64(data[apxTable+16*secHints:]))
			data[at+rng.IntN(4*len(ix.hints))] ^= byte(1 + rng.IntN(255))
		}
		copy(data[apxHeader:], file.Bytes()[apxHeader:apxHeader+2*contigBytes]) // else few are accepted
		if got, err := parseIndex(data); err == nil {
			exercise(got)
		}
	}
}

func FuzzParseIndex(f *testing.F) {
	ix := buildIndex(f, map[string][]byte{"one": randomBases(rand.New(rand.NewPCG(8, 8)), 500)}, 1)
	var file bytes.Buffer
	ix.WriteTo(&file)
	whole := file.Bytes()
	f.Add([]byte(apxMagic), uint32(0), byte(0))
	f.Add(whole[:apxHeader+100], uint32(apxTable), byte(1))
	f.Add(whole[apxHeader:apxHeader+200], uint32(apxHeader+3), byte(7))
	// The bytes replace what stands at that place of a whole index, whose header is then
	// sealed again: else the fuzzer would never get past the checksum.
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte) {
		parseIndex(data)
		patched := slices.Clone(whole)
		at %= uint32(len(patched))
		copy(patched[at:], data)
		patched[at] ^= flip
		reseal(patched)
		if ix, err := parseIndex(patched); err == nil {
			exercise(ix)
		}
	})
}
