package inflate

import (
	"bytes"
	stdflate "compress/flate"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// bitWriter writes bits as DEFLATE orders them.
type bitWriter struct {
	b    []byte
	hold uint64
	held uint
}

func (w *bitWriter) put(v uint64, n uint) {
	w.hold |= v << w.held
	w.held += n
	for w.held >= 8 {
		w.b = append(w.b, byte(w.hold))
		w.hold >>= 8
		w.held -= 8
	}
}

func (w *bitWriter) align() { w.put(0, -w.held&7) }

// testCode is a prefix code by the lengths of its words.
type testCode struct {
	lens  []uint8
	words []uint16
}

func newTestCode(lens []uint8) testCode {
	c := testCode{lens, make([]uint16, len(lens))}
	word := uint16(0)
	for n := uint8(1); n <= 15; n++ {
		for i := range lens {
			if lens[i] == n {
				c.words[i] = bits.Reverse16(word) >> (16 - n)
				word++
			}
		}
		word <<= 1
	}
	return c
}

func (c *testCode) put(w *bitWriter, symbol int) {
	w.put(uint64(c.words[symbol]), uint(c.lens[symbol]))
}

// randomCode gives the symbols complete code words of up to limit bits: a leaf is split until
// there are enough. Skewed codes have words of all lengths.
func randomCode(r *rand.Rand, alphabet int, symbols []int, limit uint8) testCode {
	lens := make([]uint8, alphabet)
	if len(symbols) == 1 {
		lens[symbols[0]] = 1
		return newTestCode(lens)
	}
	leaves := []uint8{0}
	skew := r.IntN(3)
	for len(leaves) < len(symbols) {
		i := r.IntN(len(leaves))
		for try := 0; try < skew && i < len(leaves)-1; try++ {
			i += r.IntN(len(leaves) - i)
		}
		for leaves[i] == limit {
			i = r.IntN(len(leaves))
		}
		leaves[i]++
		leaves = append(leaves, leaves[i])
	}
	r.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
	for i, s := range symbols {
		lens[s] = leaves[i]
	}
	return newTestCode(lens)
}

// lengthBase and distBase are the first value of each symbol, with the number of extra bits.
var lengthBase = func() (b [29][2]int) {
	v := 3
	for i := range b {
		extra := max(0, i/4-1)
		b[i] = [2]int{v, extra}
		v += 1 << extra
	}
	b[28] = [2]int{258, 0}
	return b
}()

var distBase = func() (b [30][2]int) {
	v := 1
	for i := range b {
		extra := max(0, i/2-1)
		b[i] = [2]int{v, extra}
		v += 1 << extra
	}
	return b
}()

func baseOf(b [][2]int, v int) (symbol, extra, n int) {
	for symbol = len(b) - 1; b[symbol][0] > v; symbol-- {
	}
	return symbol, v - b[symbol][0], b[symbol][1]
}

// token is a literal, or a match when length is not 0.
type token struct{ literal, length, distance int }

// randomTokens makes about n bytes that may refer to have bytes before them.
func randomTokens(r *rand.Rand, n, have int) []token {
	var t []token
	alphabet := 1 + r.IntN(1+r.IntN(256))
	matches := r.IntN(5)
	for at := 0; at < n; {
		if r.IntN(6) >= matches || have+at == 0 {
			t = append(t, token{literal: r.IntN(alphabet)})
			at++
			continue
		}
		distance := 1 + r.IntN(min(have+at, windowBytes))
		switch r.IntN(4) {
		case 0:
			distance = 1 + r.IntN(min(have+at, 40)) // overlaps
		case 1:
			distance = min(have+at, windowBytes) // the farthest
		}
		length := min(3+r.IntN(1<<r.IntN(10)), 258)
		t = append(t, token{length: length, distance: distance})
		at += length
	}
	return t
}

// putBlock writes one block of tokens with codes of its own.
func putBlock(r *rand.Rand, w *bitWriter, tokens []token, final uint64) {
	used := [2]map[int]bool{{256: true}, {}}
	for _, t := range tokens {
		if t.length == 0 {
			used[0][t.literal] = true
			continue
		}
		l, _, _ := baseOf(lengthBase[:], t.length)
		d, _, _ := baseOf(distBase[:], t.distance)
		used[0][257+l], used[1][d] = true, true
	}
	for range r.IntN(40) { // words that no token needs
		used[0][r.IntN(286)] = true
	}
	var symbols [2][]int
	for i := range used {
		for s := range used[i] {
			symbols[i] = append(symbols[i], s)
		}
		slices.Sort(symbols[i])
	}
	lit := randomCode(r, 286, symbols[0], 15)
	dist := testCode{make([]uint8, 30), make([]uint16, 30)}
	if len(symbols[1]) > 0 {
		dist = randomCode(r, 30, symbols[1], 15)
	}
	w.put(final|2<<1, 3)
	putCodes(r, w, lit.lens, dist.lens)
	for _, t := range tokens {
		putToken(w, &lit, &dist, t)
	}
	lit.put(w, 256)
}

func putToken(w *bitWriter, lit, dist *testCode, t token) {
	if t.length == 0 {
		lit.put(w, t.literal)
		return
	}
	s, extra, n := baseOf(lengthBase[:], t.length)
	lit.put(w, 257+s)
	w.put(uint64(extra), uint(n))
	s, extra, n = baseOf(distBase[:], t.distance)
	dist.put(w, s)
	w.put(uint64(extra), uint(n))
}

// putCodes writes the code lengths, with runs where there are some.
func putCodes(r *rand.Rand, w *bitWriter, lit, dist []uint8) {
	all := append(slices.Clone(lit), dist...)
	var pre [19]int
	for i := range pre {
		pre[i] = i
	}
	code := randomCode(r, 19, pre[:], 7)
	w.put(uint64(len(lit)-257), 5)
	w.put(uint64(len(dist)-1), 5)
	w.put(15, 4)
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15} {
		w.put(uint64(code.lens[i]), 3)
	}
	for i := 0; i < len(all); {
		run := 1
		for i+run < len(all) && all[i+run] == all[i] {
			run++
		}
		switch {
		case all[i] == 0 && run >= 11 && r.IntN(2) == 0:
			run = min(run, 138)
			code.put(w, 18)
			w.put(uint64(run-11), 7)
		case all[i] == 0 && run >= 3:
			run = min(run, 10)
			code.put(w, 17)
			w.put(uint64(run-3), 3)
		case i > 0 && all[i-1] == all[i] && run >= 3:
			run = min(run, 6)
			code.put(w, 16)
			w.put(uint64(run-3), 2)
		default:
			run = 1
			code.put(w, int(all[i]))
		}
		i += run
	}
}

// fixed is the code of blocks that bring none.
var fixedLit, fixedDist = func() (testCode, testCode) {
	lens := slices.Concat(bytes.Repeat([]byte{8}, 144), bytes.Repeat([]byte{9}, 112), bytes.Repeat([]byte{7}, 24), bytes.Repeat([]byte{8}, 8))
	return newTestCode(lens), newTestCode(bytes.Repeat([]byte{5}, 32))
}()

// randomDeflate makes valid data of a few blocks of all kinds, about n bytes long in all.
func randomDeflate(r *rand.Rand, n int) []byte { return randomBlocks(r, n, 1+r.IntN(4)) }

// randomBlocks is randomDeflate with so many blocks.
func randomBlocks(r *rand.Rand, n, blocks int) []byte {
	w := new(bitWriter)
	have := 0
	for i := range blocks {
		final := uint64(0)
		if i == blocks-1 {
			final = 1
		}
		have += putRandomBlock(r, w, r.IntN(min(n/blocks+1, 1<<16)), have, final)
	}
	w.align()
	return w.b
}

// putRandomBlock writes a block of any kind for about size bytes, and returns how many they are.
func putRandomBlock(r *rand.Rand, w *bitWriter, size, have int, final uint64) (put int) {
	tokens := randomTokens(r, size, have)
	switch r.IntN(6) {
	case 0:
		w.put(final, 3)
		w.align()
		w.put(uint64(size)|uint64(^uint16(size))<<16, 32)
		for range size {
			w.put(uint64(r.IntN(256)), 8)
		}
		return size
	case 1:
		w.put(final|1<<1, 3)
		for _, t := range tokens {
			putToken(w, &fixedLit, &fixedDist, t)
		}
		fixedLit.put(w, 256)
	default:
		putBlock(r, w, tokens, final)
	}
	for _, t := range tokens {
		put += max(1, t.length)
	}
	return put
}

// deflated compresses with the standard library.
func deflated(t testing.TB, s []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := stdflate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(s)
	w.Close()
	return b.Bytes()
}

// fastq makes about n bytes of FASTQ. The reads are of a random genome, the qualities of 4
// levels as those of newer instruments, or of 40.
func fastq(n, levels int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	genome := make([]byte, 1<<20)
	for i := range genome {
		genome[i] = "ACGT"[r.IntN(4)]
	}
	const length = 150
	var b []byte
	for i := 0; len(b) < n; i++ {
		b = append(b, "@A00123:45:HXXXXDSXX:1:"...)
		for _, limit := range []int{1000, 30000, 36000} {
			b = append(b, byte('0'+r.IntN(limit)%10), byte('0'+r.IntN(limit)/10%10), byte('0'+i%10), byte('0'+i/10%10), ':')
		}
		b = append(b, " 1:N:0:ACGTACGT\n"...)
		at := r.IntN(len(genome) - length)
		b = append(b, genome[at:at+length]...)
		b = append(b, "\n+\n"...)
		for q, j := 0, 0; j < length; j++ {
			switch {
			case levels > 4:
				q = 40 - min(39, int(r.ExpFloat64()*(3+float64(j)/20)))
				b = append(b, byte(33+q))
			default:
				if r.IntN(12) == 0 {
					q = r.IntN(4)
				} else if r.IntN(3) == 0 {
					q = 0
				}
				b = append(b, "F:,#"[q])
			}
		}
		b = append(b, '\n')
	}
	return b
}
