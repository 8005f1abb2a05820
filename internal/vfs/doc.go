// Package vfs is the file layer: every data file of the program is opened, written, synced,
// renamed and removed through it, so that tests can fail any of these steps.
//
// [OS] is the real file system, package faultfs wraps any [FS] to inject faults. An output
// file is made by [CreateAtomic], written, and brought under its final name by [Commit], which
// deals with all the files of a run at once: after it they are all there and durable, or none
// is and what stood there before still does. [Map] and [Alloc] hand out memory that the
// garbage collector does not scan.
//
// A commit does, in this order:
//
//	fsync and close every temporary file      all the bytes are on the disk, errors are known
//	hard-link each old target to a spare name the way back
//	rename each temporary file to its target  readers see the old or the new file, never none
//	fsync each folder                         the names are on the disk
//	remove the spare names
package vfs
