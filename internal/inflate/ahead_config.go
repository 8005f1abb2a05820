//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

const (
	// leastWorkers is from how many workers on plain gzip is decoded ahead. It takes half as much
	// CPU again as decoding alone, so with less it would gain little.
	leastWorkers = 4
	// mostGuessers is more than reads can be mapped with: each makes some 300 MB/s of FASTQ.
	mostGuessers = 16
	// lookAheadBytes is how long a stream is decoded alone.
	lookAheadBytes = 512 << 10
)

// guessers is how many workers decode plain gzip ahead, 0 for none.
func (c *Config) guessers() int {
	if c.Workers < leastWorkers {
		return 0
	}
	return min(c.Workers, mostGuessers)
}

func (c *Config) maxPiece() int {
	if c.pieceBytes > 0 {
		return c.pieceBytes
	}
	return maxPieceBytes
}

func (c *Config) minPiece() int { return min(c.maxPiece(), minPieceBytes) }

// room is how many symbols a piece may become.
func (c *Config) room() int {
	if c.guessRoom > 0 {
		return c.guessRoom
	}
	return guessRoom
}

func (c *Config) lookAheadAt() int64 { return min(lookAheadBytes, int64(c.maxPiece())) }

// pieces is how many exist: one with each worker, half as many that wait to be taken over or to
// be resolved, the scout's and the decoder's, and what the decoder may have read but not passed.
func (c *Config) pieces() int {
	n := c.guessers()
	return n + n/2 + 3 + peekBytes/c.minPiece()
}

// aheadBytes is what decoding ahead adds to a stream's memory.
func (c Config) aheadBytes() int64 {
	n := int64(c.guessers())
	if n == 0 {
		return 0
	}
	piece := int64(c.maxPiece()) + overlapBytes + 2*int64(windowBytes+c.room()+markRoom) + 1<<16 + maxEnds*32
	return int64(c.pieces())*piece + n*2*decoderBytes + overlapBytes
}
