// Package markdup decides which reads are duplicates, as samtools markdup 1.16 does without -S on
// the coordinate-sorted file of the same records.
//
// Call [New], one [Marker.Writer] for each mapper, [Writer.Add] for every record it emits, and when
// all are mapped [Marker.Decide]. While the sorted records are written, [Decisions.Duplicate] says
// for each whether it gets flag 0x400. What is added beyond Config.MemBytes goes to files:
// spill.go has their layout.
//
// # The rule
//
// Only primary records that are mapped and have not failed quality control are looked at; a pair is
// left out when one of its mates has failed.
//
//   - Pairs, both mates mapped, are duplicates of each other where each has its end at the same
//     place: reference, unclipped coordinate and strand (key.go). The one with the largest sum of
//     base qualities of at least 15 stays, over both mates. Of equal sums the smallest name stays,
//     compared byte by byte; of equal names the pair that comes first in the input.
//   - Reads without a mapped mate are compared by their own 5' end and strand. Where any read of a
//     pair has that end, all of them are duplicates. Otherwise the one with the largest sum of
//     qualities stays, and of equal sums the first in the sorted file: by position, then input.
//
// Read groups and libraries are not told apart: samtools 1.16 does not, and a run has one.
//
// # Where samtools decides differently
//
// samtools forgets a read once the sorted file is 300 bases (its -l) past the read's 5' end, so it
// misses a duplicate that starts later in the file. That takes a read with more than 300 bases
// clipped before its first aligned one or, for mates on the same strand, alignments whose lengths
// on the reference differ by more than 300. And even then it forgets only when nothing before the
// read in the file holds it back, as reverse reads over the place do. This package never forgets.
//
// Two pairs of one name and one sum whose mates are clipped differently may be ranked by samtools
// in the one order for the first mates and in the other for the second ones; here it is one order.
//
// # How it is done
//
// Each pair is a signature of about 40 bytes: both ends, the sum, its number in the input, and what
// tells its name from its neighbours' names. The workers collect signatures; partitions of them by
// the hash of the ends are independent of each other, and are decided in parallel with one hash
// table each, which keeps the best signature of each set of duplicates. Of two signatures that
// meet in it one has lost, and its bits are set; the outcome does not depend on the order in which
// they meet, so neither on threads, nor on memory, nor on what was spilled.
//
// Reads without a mapped mate must meet the ends of all pairs. Those reads are few as a rule, so
// a filter of one bit per hash tells which pairs' ends could matter; only these are set down
// beside the single reads (ends.go), and decided with them in a second round.
package markdup
