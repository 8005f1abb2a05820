// Package gather joins BAM files of one reference into one, sorted by coordinate, with its index.
//
// [Run] opens the parts, reads what stands at both their ends, and takes one of two ways:
//
//	disjoint   no record of a part sorts between two of another: shards, chromosomes. Compressed
//	           blocks are copied as they are, by the kernel where it can; indexes are moved to
//	           where the blocks are now, and joined.
//	merge      everything else, as the parts of an array job that maps slices of the reads: all
//	           records are read, merged and compressed again.
//
// Records come out in the same order either way: by reference, position and strand, those without
// a place last, and where all that is equal in the order of the parts, and in each part as they
// were. The names of the parts say nothing: which part comes first is seen from its records.
//
// # What is checked
//
// Every part must say that it is sorted by coordinate, have the reference sequences of the first
// one, and end with the end-of-file block. Where blocks are copied, the chain of their sizes is
// followed from the header to the end, and every block that the index points to must be one of
// the chain; the data inside is not inflated, so that a flipped bit in it is copied along (a
// reader finds it by the block's checksum). Where records are merged, checksums and order are
// checked.
//
// An index is believed when it is no older than its BAM and fits to it at both ends. Where there
// is none like that, the part is read once and its index is made.
//
// # Header
//
// Lines that all parts share are there once. Read groups of the same ID must say the same: in
// copied blocks a record cannot be given another one. Programs of the same ID with other
// settings get a new ID, ID.1 and so on, and the chain of PP follows; PG tags of records stay as
// they are.
package gather
