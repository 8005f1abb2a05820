package inflate

const (
	// BlockHeaderBytes is how much of a block BlockSize must see where the block has no extra
	// fields but its size, as nearly all have.
	BlockHeaderBytes = headerBytes + 6
	// EOFBlock is the empty block that ends every whole BGZF file.
	EOFBlock = eofBlock
)

// BlockSize returns the size in bytes of the BGZF block that starts with b, and of its header; 0
// where no block starts there, or b ends before its header does.
func BlockSize(b []byte) (size, header int) { return blockSize(b) }
