// Package slowfs wraps a file system to make it as slow as a chosen disk, for experiments that need to
// know what the disk was.
//
//	disk := slowfs.NewDisk(slowfs.Limits{ReadRate: 200e6, WriteRate: 80e6, Latency: 5 * time.Millisecond})
//	fsys := slowfs.New(vfs.OS, slowfs.Role{Prefix: "/data/in", Disk: disk})
//
// A [Role] puts everything under a path on a [Disk]; the longest prefix wins, and what is under none is
// as fast as the wrapped file system. Roles may share a disk, as files do. A disk is a queue: a transfer of n bytes
// keeps it busy for n/rate, one after the other, whoever asks. Reading and writing are two queues, or
// one under Limits.Shared. Latency is added to each call and does not keep the disk busy, so calls side by side
// hide it, as with a device that takes many requests at a time.
//
// Waiting is a debt: a sleep shorter than 2 ms would take half as long again as asked for, so calls go on until they
// owe that much. A disk therefore runs up to 2 ms behind its rate, and makes up for sleeps that were
// too long, up to 3 ms of them.
//
// With Limits.WriteBack, writing is as on a system with a page cache: that many bytes wait for the disk while the
// writer goes on, and Sync waits for those of its file. Reads are always those of a cold cache,
// unless the role is Cached.
//
// Files have no descriptor, so that no byte goes around the disk.
package slowfs
