package mapper

// packedSlack is how many bytes may be read behind the packed genome, so that kernels can
// load whole vectors at its end.
const packedSlack = 64

// Reference is a genome held as two bits a base. Everything but A, C, G and T is kept
// aside as a run of N.
type Reference struct {
	contigs   []contig
	names     []byte   // of all contigs
	hints     []uint32 // contig at the start of each block of 1<<hintShift bases
	hintShift uint
	packed    []byte // four bases a byte, the first in the low bits; packedSlack more are in its capacity
	total     int64  // bases
	holes     []hole // ascending, disjoint
	holeMap   []uint64
	release   func() error // frees packed, or the mapping that all is in
}

// Bytes is the memory the reference takes.
func (r *Reference) Bytes() int64 {
	tables := contigBytes*int64(len(r.contigs)) + int64(len(r.names)) + 4*int64(len(r.hints)) + 16*int64(len(r.holes)) + 8*int64(len(r.holeMap))
	return int64(len(r.packed)) + tables
}

// Close frees the reference. An index that was built from it has taken it over.
func (r *Reference) Close() error {
	if r.release == nil {
		return nil
	}
	err := r.release()
	*r = Reference{}
	return err
}
