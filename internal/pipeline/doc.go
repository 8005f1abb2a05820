// Package pipeline joins the stages of alignpipe into one run.
//
// [Run] is the one place that makes queues, starts goroutines and waits for them:
//
//	reader ─batches─► sampler ─batches─► N mappers, each with its own sorter slab
//	                                         │ all mappers done
//	                                         ▼
//	         merger ─blocks─► N compressors (copy, sum, mark, deflate) ─► BAM or a stream
//	         or one merger for each shard in work
//
// Without a sort the mappers fill a chunk for each batch instead, and one goroutine takes
// the chunks in the order of the batches to the output.
//
// A run ends well only when the sum over the records written equals the sum taken by
// the reader; the end-of-file block is written after that, and the final names appear
// after everything is on disk. Whatever goes wrong before leaves no file behind.
//
// run.go has the order of events, mapping.go the mappers, auto.go how many of them work at a time,
// sorted.go and unsorted.go the two ways from there on, memory.go the memory plan, output.go the destinations, audit.go
// the check that no read is lost, verify.go the independent re-reading of a finished file.
package pipeline
