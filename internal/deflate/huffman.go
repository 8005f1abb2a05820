package deflate

import "math/bits"

// A huffman makes a length-limited prefix code from symbol frequencies. It holds only scratch memory.
type huffman struct {
	keys, swap [litLenCount]uint32 // frequency<<keyShift | symbol
	nodes      [litLenCount]uint32 // weights, then parents, then depths of internal nodes
}

const keyShift = 9

// lengths fills lens with the code lengths, at most limit, of the symbols that freq counts; 0 for those that do
// not occur. Fewer than two symbols get a code of one bit, since decoders refuse a code without any. The sum of
// freq must be below 1<<23.
func (h *huffman) lengths(lens []uint8, freq []uint32, limit int) {
	clear(lens)
	used := 0
	for s, f := range freq {
		if f != 0 {
			h.keys[used] = f<<keyShift | uint32(s)
			used++
		}
	}
	if used < 2 {
		lens[0] = 1
		if used == 1 {
			lens[h.keys[0]&(1<<keyShift-1)] = 1
		}
		return
	}
	sorted := h.sort(used)
	var perLen [33]uint16
	h.depths(sorted, &perLen)
	limitLengths(&perLen, limit)
	at := 0
	for n := limit; n > 0; n-- {
		for range perLen[n] {
			lens[sorted[at]&(1<<keyShift-1)] = uint8(n)
			at++
		}
	}
}

// sort orders keys[:n] by frequency, then symbol, with three passes of a radix sort over as many frequency bits as
// a block can have.
func (h *huffman) sort(n int) []uint32 {
	from, to := h.keys[:n], h.swap[:n]
	most := uint32(0)
	for _, k := range from {
		most |= k
	}
	for shift := keyShift; most>>shift != 0; shift += 6 {
		var starts [64]uint16
		for _, k := range from {
			starts[k>>shift&63]++
		}
		sum := uint16(0)
		for i, c := range starts {
			starts[i] = sum
			sum += c
		}
		for _, k := range from {
			b := k >> shift & 63
			to[starts[b]] = k
			starts[b]++
		}
		from, to = to, from
	}
	return from
}

// depths counts the leaves per depth of the Huffman tree over sorted keys, deeper than 32 as 32. The method is that of
// Moffat and Katajainen: internal nodes come out in order of weight, so two queues in two arrays are enough.
func (h *huffman) depths(sorted []uint32, perLen *[33]uint16) {
	n := len(sorted)
	nodes := h.nodes[:n-1]
	leaf, node := 0, 0
	for made := range nodes {
		w := uint32(0)
		for range 2 {
			if node == made || leaf < n && sorted[leaf]>>keyShift <= nodes[node] {
				w += sorted[leaf] >> keyShift
				leaf++
			} else {
				w += nodes[node]
				nodes[node] = uint32(made)
				node++
			}
		}
		nodes[made] = w
	}
	nodes[n-2] = 0
	free, depth := 1, uint32(0)
	for i := n - 2; i >= 0; {
		inner := 0
		for ; i >= 0; i-- {
			d := uint32(0)
			if i < n-2 {
				d = nodes[nodes[i]] + 1
			}
			if d != depth {
				break
			}
			nodes[i] = d
			inner++
		}
		perLen[min(depth, 32)] += uint16(free - inner)
		free = 2 * inner
		depth++
	}
	perLen[min(depth, 32)] += uint16(free)
}

// limitLengths shortens the codes beyond limit and pays for them with the longest codes below it, as few as will do.
func limitLengths(perLen *[33]uint16, limit int) {
	over := 0 // of the code space, in units of the longest code
	for n := limit + 1; n <= 32; n++ {
		perLen[limit] += perLen[n]
		perLen[n] = 0
	}
	for n := 1; n <= limit; n++ {
		over += int(perLen[n]) << (limit - n)
	}
	for over -= 1 << limit; over > 0; over-- {
		n := limit - 1
		for perLen[n] == 0 {
			n--
		}
		perLen[n]--
		perLen[n+1] += 2
		perLen[limit]--
	}
}

// canonicalCodes fills codes with the canonical codes of the lengths, their first bit lowest.
func canonicalCodes(codes []uint16, lens []uint8) {
	var perLen, next [maxCodeBits + 1]uint16
	for _, n := range lens {
		perLen[n]++
	}
	perLen[0] = 0
	code := uint16(0)
	for n := 1; n <= maxCodeBits; n++ {
		code = (code + perLen[n-1]) << 1
		next[n] = code
	}
	for s, n := range lens {
		codes[s] = bits.Reverse16(next[n]) >> (16 - n)
		next[n]++
	}
}

// fixedLens and fixedCodes are those of a block with the fixed codes.
var fixedLens, fixedCodes = func() (lens symbols[uint8], codes symbols[uint16]) {
	var all [litLenCount + 2]uint8 // the last two never occur, but have codes before those of 9 bits
	for s := range all {
		switch {
		case s < 144 || s >= 280:
			all[s] = 8
		case s < 256:
			all[s] = 9
		default:
			all[s] = 7
		}
	}
	var litLen [len(all)]uint16
	canonicalCodes(litLen[:], all[:])
	copy(lens[:firstDist], all[:])
	copy(codes[:firstDist], litLen[:])
	for s := range distCount {
		lens[firstDist+s] = 5
	}
	canonicalCodes(codes[firstDist:], lens[firstDist:])
	return
}()
