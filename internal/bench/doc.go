// Package bench measures what a machine can do, and what the pipeline makes of it.
//
// Call [Run]. It takes the ceilings of the machine one by one (folder.go: disks; memory.go;
// cpu.go: one core at each kind of work), runs the pipeline on made-up reads (genome.go,
// reads.go) or the first of given ones (source.go), and puts the run under the ceilings
// (place.go, roofline.go). Then it runs the same reads with queues and with barriers (handoff.go), with
// more or less in flight and larger or smaller batches (sweep.go), and compares the time to
// fill and to drain the line with the formula (fill.go). advice.go says it in words, table.go
// prints it.
//
// Everything measured is repeated: a [Figure] is a median with its spread. Files have no name
// while a disk is measured; the others lie in private folders that are gone at the end, also
// when the program is stopped.
package bench
