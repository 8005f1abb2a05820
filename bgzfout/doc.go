// Package bgzfout writes BAM: ordered parallel BGZF blocks, the index made in the
// same pass, and folders of coordinate shards.
//
// Call [NewBAM], [BAM.Add] for each encoded record, [BAM.Close], then
// [BAM.WriteIndex]. [ShardSet] does that once per coordinate range and commits the
// folder as a whole. [Writer] is the block writer underneath, for other payloads.
//
// # Blocks
//
// A block holds at most 65280 bytes of payload. A record that does not fit into what
// is left of a block starts a new one; a record larger than a block is split. So the
// block borders depend on the record lengths alone, each block is compressed by
// itself, and the file's bytes do not depend on the number of workers.
//
//	caller ── jobs ──▶ workers (deflate, CRC32)
//	   │                  │ block.ready
//	   └──── order ──▶ drain ──▶ index, dst
//
// A block enters order before its compression starts, and drain takes blocks from
// order only. drain goes on after an error, so that nobody is left waiting.
//
// # Memory
//
// Config.InFlight blocks exist, each of about 128 KiB plus 16 bytes per record in it;
// the caller waits for one to come back. Index entries are made by drain, where the
// file offset of each block is known, so no table of blocks is kept: an index takes
// the size of its file plus the bins of one reference.
package bgzfout
