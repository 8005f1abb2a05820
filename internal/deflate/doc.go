// Package deflate compresses the blocks of a BGZF file, in DEFLATE (RFC 1951).
//
// Call [New] once per goroutine, then [Encoder.Append] for each block.
//
//	fast.go     levels 1 to 3: one candidate per place, taken as it comes
//	lazy.go     levels 4 to 9: chains of candidates, weighed by what they save
//	items.go    what both make: literals and matches, counted as they come
//	huffman.go  code lengths and codes; header.go sends them
//	write.go    items into bits
//
// It knows no streams: a call has all of its input, of at most [MaxInput] bytes, and makes one
// final block, stored, with the fixed or with its own codes, whichever is smallest. The size of
// each is known before the first bit is written, so nothing is written twice.
//
// What BAM is made of shaped the matchers: fields of few bytes from record to record, bases in
// half bytes that overlapping reads repeat, and qualities, which a code of literals holds better
// than short matches far away do. So matches of less than 6 to 8 bytes are not looked for, which
// is both faster and smaller than to take those of 3 or 4, as general compressors do.
//
// Input bytes are loaded eight at a time past bounds checks; every loop says why it stays
// inside. The bytes made depend on the input and the level, and on nothing else.
package deflate
