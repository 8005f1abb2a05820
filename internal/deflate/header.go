package deflate

// preOrder is the order in which the lengths of the code for code lengths are sent.
var preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

const (
	repeatLast   = 16 // 3 to 6 times, 2 bits
	repeatZero   = 17 // 3 to 10 times, 3 bits
	repeatZeros  = 18 // 11 to 138 times, 7 bits
	preCodeBits  = 7
	headerLimits = 5 + 5 + 4 // bits of the three counts
)

// A header is the code lengths of a dynamic block, run-length encoded under a code of their own.
type header struct {
	litLens, distLens, preLens int // counts sent
	runs                       [litLenCount + distCount]uint16
	used                       int // runs[:used]: symbol | extra<<8
	freq                       [19]uint32
	lens                       [19]uint8
	codes                      [19]uint16
	bits                       int // of all after the three bits that begin a block
}

// plan finds the form of the lengths and its size in bits.
func (h *header) plan(lens *symbols[uint8], huff *huffman) {
	h.litLens, h.distLens = litLenCount, distCount
	for lens[h.litLens-1] == 0 { // ends at endOfBlock
		h.litLens--
	}
	for h.distLens > 1 && lens[firstDist+h.distLens-1] == 0 {
		h.distLens--
	}
	h.used = 0
	clear(h.freq[:])
	var joined [litLenCount + distCount]uint8
	n := copy(joined[:], lens[:h.litLens])
	n += copy(joined[n:], lens[firstDist:firstDist+h.distLens])
	h.runLengths(joined[:n])
	huff.lengths(h.lens[:], h.freq[:], preCodeBits)
	canonicalCodes(h.codes[:], h.lens[:])
	h.preLens = len(preOrder)
	for h.preLens > 4 && h.lens[preOrder[h.preLens-1]] == 0 {
		h.preLens--
	}
	h.bits = headerLimits + 3*h.preLens + 2*int(h.freq[repeatLast]) + 3*int(h.freq[repeatZero]) + 7*int(h.freq[repeatZeros])
	for s, f := range h.freq {
		h.bits += int(f) * int(h.lens[s])
	}
}

func (h *header) runLengths(lens []uint8) {
	for i := 0; i < len(lens); {
		v, end := lens[i], i+1
		for end < len(lens) && lens[end] == v {
			end++
		}
		run := end - i
		i = end
		if v == 0 {
			for run >= 3 {
				n := min(run, 138)
				if n >= 11 {
					h.add(repeatZeros, n-11)
				} else {
					h.add(repeatZero, n-3)
				}
				run -= n
			}
		} else if run >= 4 {
			h.add(uint16(v), 0)
			for run--; run >= 3; {
				n := min(run, 6)
				h.add(repeatLast, n-3)
				run -= n
			}
		}
		for range run {
			h.add(uint16(v), 0)
		}
	}
}

func (h *header) add(symbol uint16, extra int) {
	h.runs[h.used] = symbol | uint16(extra)<<8
	h.used++
	h.freq[symbol]++
}

func (h *header) write(w *bitWriter) {
	w.put(uint64(h.litLens-257)|uint64(h.distLens-1)<<5|uint64(h.preLens-4)<<10, headerLimits)
	for _, s := range preOrder[:h.preLens] {
		w.put(uint64(h.lens[s]), 3)
	}
	for _, run := range h.runs[:h.used] {
		s := run & 31
		w.put(uint64(h.codes[s]), uint(h.lens[s]))
		switch s {
		case repeatLast:
			w.put(uint64(run>>8), 2)
		case repeatZero:
			w.put(uint64(run>>8), 3)
		case repeatZeros:
			w.put(uint64(run>>8), 7)
		}
	}
}
