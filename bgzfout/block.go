package bgzfout

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"sync"

	"github.com/alignpipe/alignpipe/internal/deflate"
)

const (
	// payload is the most uncompressed bytes per block, as in htslib. It leaves room
	// for the stored form of any payload within the 64 KiB that BSIZE can tell.
	payload = deflate.MaxInput

	headerLen  = 18
	trailerLen = 8
	maxBlock   = 1 << 16
)

// blockHeader is the gzip header with the BC field; BSIZE-1 goes to bytes 16 and 17.
var blockHeader = [headerLen]byte{
	0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C', 2, 0, 0, 0,
}

// eofBlock is the empty block that ends a complete file.
var eofBlock = []byte{
	0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C', 2, 0, 0x1b, 0,
	3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
}

// block is one BGZF block on its way: filled by the caller, compressed by a worker,
// written by drain, and then the caller's again.
type block struct {
	data    []byte        // at most payload bytes; those of stable records are there when collected
	first   int64         // number of the first record that starts here, counted from 0
	records int64         // that start here
	recs    []piece       // of a BAM: records that lie in this block alone
	marks   []mark        // of a BAM, once collected: of all records that start here
	out     []byte        // the finished block
	err     error         // of collecting or compressing
	ready   chan struct{} // capacity 1: out is complete
}

// piece is a record of a block.
type piece struct {
	rec    []byte // in the block, or still where the caller has it
	tag    uint64
	off    uint16 // in the block
	stable bool   // not copied yet
}

func newBlock() *block {
	return &block{data: make([]byte, 0, payload), out: make([]byte, 0, maxBlock), ready: make(chan struct{}, 1)}
}

func (b *block) reset() {
	b.data, b.recs, b.marks, b.out = b.data[:0], b.recs[:0], b.marks[:0], b.out[:0]
	b.records, b.err = 0, nil
}

// deflaters keeps the compressors, which are large (up to 0.8 MiB), across Writers: a
// ShardSet makes one Writer per shard.
var deflaters [10]sync.Pool

// deflater makes blocks of one level. It belongs to one goroutine.
type deflater struct{ *deflate.Encoder }

func getDeflater(level int) (*deflater, error) {
	if d, ok := deflaters[level].Get().(*deflater); ok {
		return d, nil
	}
	e, err := deflate.New(level)
	return &deflater{e}, err
}

func putDeflater(level int, d *deflater) { deflaters[level].Put(d) }

// appendBlock appends the block for data, at most payload bytes, to dst.
func (d *deflater) appendBlock(dst, data []byte) ([]byte, error) {
	if len(data) > payload {
		return dst, errors.New("bgzf: payload larger than a block")
	}
	start := len(dst)
	dst = d.Append(append(dst, blockHeader[:]...), data)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(data))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	binary.LittleEndian.PutUint16(dst[start+16:], uint16(len(dst)-start-1))
	return dst, nil
}
