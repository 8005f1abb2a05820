// Package mapper places reads on a reference genome by k-mer seeds.
//
// Call [LoadFASTA], [NewPlan] and [Plan.Build] (or [OpenIndex]) once, [EstimateInsert] on the first
// pairs of the whole input, then [NewWorker] per goroutine and [Worker.Map] per batch.
// The package starts no goroutine of its own except inside these; an [Index] is
// immutable and may be shared.
//
// An index is made by fasta.go (text into packed bases), genomeseeds.go (their syncmers),
// build.go and partition.go (seeds into buckets); file.go has its form on disk, contigs.go
// and holes.go what it says of a position.
//
// A read goes through: seed.go (syncmers of the read, looked up in the index),
// chain.go (hits of one diagonal band become a candidate), extend.go (ungapped check,
// then banded affine alignment where a gap could win), rescue.go (a mate is looked for
// where its partner says it should be), pair.go and mapq.go (choice and confidence,
// on bwa-mem's scale), record.go (BAM bytes).
//
// Results depend on the read, its mate, its ordinal in the input, the reference and
// [Params], and on nothing else.
package mapper
