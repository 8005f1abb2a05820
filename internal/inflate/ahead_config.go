//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"cmp"
	"unsafe"
)

const (
	// leastWorkers is from how many workers on plain gzip is decoded ahead. It takes 1.35 to 1.5
	// times the CPU time of decoding alone, so with fewer it would gain little.
	leastWorkers = 4
	// mostGuessers bounds the memory. Each makes some 500 MB/s of FASTQ, and the goroutine that
	// takes pieces over, which there is one of, 10 GB/s or more.
	mostGuessers = 16
	// lookAheadBytes are inflated alone within 20 ms. To touch the memory of the pieces for the first
	// time takes as long, so less is not worth it.
	lookAheadBytes = 4 << 20
)

// guessers is how many workers decode plain gzip ahead, 0 for none.
func (c *Config) guessers() int {
	if c.Alone || c.Workers < leastWorkers {
		return 0
	}
	return min(c.Workers, mostGuessers)
}

// maxPiece and minPiece bound the compressed bytes of a piece.
func (c *Config) maxPiece() int { return cmp.Or(c.pieces.bytes, maxPieceBytes) }

func (c *Config) minPiece() int { return min(c.maxPiece(), minPieceBytes) }

// overlap is how many bytes of the next one a piece has.
func (c *Config) overlap() int { return cmp.Or(c.pieces.overlap, overlapBytes) }

// room is how many symbols a piece may become.
func (c *Config) room() int { return cmp.Or(c.pieces.room, guessRoom) }

// lookAheadAt is up to which compressed byte a stream is decoded alone.
func (c *Config) lookAheadAt() int64 {
	if c.pieces.bytes > 0 {
		return 0
	}
	return lookAheadBytes
}

// pieceCount is how many exist: one with each worker, half as many that wait to be taken over or
// to be resolved, the scout's and the decoder's, and what the decoder may have read but not passed.
func (c *Config) pieceCount() int {
	n := c.guessers()
	return n + n/2 + 3 + peekBytes/c.minPiece()
}

// aheadBytes is what decoding ahead adds to a stream's memory.
func (c Config) aheadBytes() int64 {
	n := int64(c.guessers())
	if n == 0 {
		return 0
	}
	piece := int64(c.maxPiece()+c.overlap()) + 2*int64(windowBytes+c.room()+markRoom) + 1<<16 + maxEnds*32
	sums := maxSums * int64(unsafe.Sizeof(sum{}))
	return int64(c.pieceCount())*piece + n*decoderBytes + int64(c.overlap()) + int64(c.chunks())*sums
}
