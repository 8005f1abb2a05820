// Package affine aligns a read to a window of the genome inside a band of diagonals, with
// affine gap costs.
//
// Call [Aligner.Align]; scores are the constants below. scalar.go defines what the answer is,
// down to the choice among equal alignments. fill_amd64.s has vector kernels that give the
// same answer faster, gen/ makes them, and kernel.go says how they lay the band out and when
// each may be used. trace.go reads their notes back into a CIGAR.
package affine
