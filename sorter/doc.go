// Package sorter puts mapped records in coordinate order using bounded memory.
//
// Call [New], [Slab.Add] for each record (one [Slab] per goroutine), then [Sorter.Merge] once
// and [Merger.Next] until io.EOF, and [Sorter.Close] in every case. Instead of Merge, [Sorter.Prepare]
// and several [Sorter.Part] give ranges of keys to goroutines side by side. Records are ordered by
// ([Key], ordinal) unless Config.Order says otherwise, so the output depends neither on the number of workers, nor on the memory,
// nor on what was spilled.
//
// # Memory
//
// Config.MemBytes bounds the slabs and all buffers together; memory.go enforces it. A slab has two
// buffers, each one mapping outside the Go heap, of which a page costs memory from its first use on:
//
//	┌─────────┬─────────┬──────────────────────┬──────────────────┐
//	│ entries │ scratch │ free                 │ ord + record ... │
//	└─────────┴─────────┴──────────────────────┴──────────────────┘
//	  grows ►   as large                         ◄ grows
//	            as entries; touched by the sort only
//
// An entry is a key and the place of its record: 16 bytes. When scratch and records would meet, the
// buffer is full: its entries are sorted (radix.go) and the records written as a run, by a goroutine,
// while the worker fills the other buffer. The first time it is done when the second buffer is half
// full, so that nobody waits then either, and three quarters of the memory hold records without any
// file. What is in the buffers at the end is merged from there. Beside the slabs a reserve is kept for
// the buffers of a merge. Where that cannot hold two frames for each run, slab buffers are spilled and
// given back, the emptiest first; where the whole memory, or the limit of open files, is too little
// for all runs, some are first merged into one (plan.go).
// Left out of the account are about 300 bytes of Go heap for each run, and 32 for each frame of it.
//
// # Run files
//
// A run is a file of records in order. Integers are little-endian, sums are XXH3-64.
//
//	┌───────────────┬───────┬───────┬─────┬───────────┐
//	│ file header   │ frame │ frame │ ... │ end frame │
//	└───────────────┴───────┴───────┴─────┴───────────┘
//
//	file header, 24 bytes          frame header, 32 bytes
//	 0  "apxrun" 0 2   8 bytes      0  "APF" kind   4 bytes
//	 8  run number     u64          4  number       u32  counts the frames of the file from 0
//	16  sum of 0..15   u64          8  stored       u32  bytes that follow the header
//	                               12  raw          u32  bytes after decompression
//	                               16  records      u32  in a frame of records, else 0
//	                               20  run number   u32  low bits: tells the frames of two runs
//	                               24  sum          u64  of the stored bytes, seeded with that
//	                                                     of bytes 0..23
//
// Kind 'R' holds whole records, one s2 block of at most 256 KiB when raw:
//
//	┌─────────┬─────────┬────────────────┬────────────┐
//	│ key u64 │ ord u64 │ block_size u32 │ record ... │
//	└─────────┴─────────┴────────────────┴────────────┘
//
// A record too long for an empty frame is cut into body frames (kind 'B', s2, no headers within),
// which stand one after the other somewhere before the frame that refers to it. So all buffers
// have one size, and of long records only the one that comes next is in memory:
//
//	┌─────────┬─────────┬────────────────┬────────────────────┬────────────────┬────────────┬─────────────┬──────┐
//	│ key u64 │ ord u64 │ 0xffffffff u32 │ first frame at u64 │ its number u32 │ length u32 │ l_name u8   │ name │
//	└─────────┴─────────┴────────────────┴────────────────────┴────────────────┴────────────┴─────────────┴──────┘
//
// Kind 'E' ends the file: the number of records (u64), not compressed. A file without it was cut
// short. Runs are never synced: none outlives the process. Every byte of a run is covered by
// a sum, and whatever does not agree is [ErrCorrupt].
package sorter
