// Package reader turns FASTQ into batches of reads.
//
// Call [Open], run [Reader.Run] in a goroutine of its own, take batches from the queue given to
// it, [Batch.Release] each one, and [Reader.Close] at the end. Input is plain, gzip or BGZF, one
// file, two files of mates, or one file with mates in turn; window.go joins the inflated chunks,
// fast.go parses records of four lines, slow.go everything else and every error.
//
// Batches are cut by bases and templates only, so that they do not depend on threads, container
// or timing. Every error caused by the data is [ErrInput]; a [*SyntaxError] says where it is.
package reader
