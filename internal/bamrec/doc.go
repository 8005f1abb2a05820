// Package bamrec turns mapped reads into BAM record bytes, and those into SAM lines.
//
// [Append] is the hot path: one call per record, no allocation beyond growth of dst.
// [AppendHeader] makes what stands before the first record, [AppendSAM] the text form, and
// [Ref], [Pos], [End] and [Flag] read the fields that later stages sort and index by.
//
//	block_size │ ref pos │ l_name mapq bin │ n_cigar flag │ l_seq │ mref mpos tlen │
//	     4     │  4   4  │   1     1    2  │    2      2  │   4   │   4    4    4  │
//	name NUL │ cigar 4·n │ seq (l_seq+1)/2 │ qual l_seq │ tags
//
// All integers are little-endian. "rec" in this package is a record without its block_size:
// rec[0] is the first byte of the reference id.
package bamrec
