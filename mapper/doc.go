// Package mapper places reads on a reference genome by k-mer seeds.
//
// Call [LoadFASTA] and [Build] (or [OpenIndex]) once, [EstimateInsert] on the first
// pairs of the whole input, then [NewWorker] per goroutine and [Worker.Map] per batch.
// The package starts no goroutine of its own except inside Build; an [Index] is
// immutable and may be shared.
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
