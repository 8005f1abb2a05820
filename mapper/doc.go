// Package mapper places reads on a reference genome by k-mer seeds.
//
// Call [Load] once, or what it is made of ([LoadFASTA], [NewPlan] and [Plan.Build], or
// [OpenIndex]); then [EstimateInsert] on the first pairs of the whole input, [NewWorker] in
// each goroutine, and [Worker.Map] for each batch. The goroutines that build an index end
// before it is returned; the package starts no others. An [Index] is immutable and may
// be shared.
//
// An index is made by fasta.go (text into packed bases), genomeseeds.go (their syncmers),
// build.go and partition.go (seeds into buckets); file.go has its form on disk, contigs.go
// and holes.go what it says of a position.
//
// Reads go through in groups (worker.go), so that what a stage needs from memory is on its
// way for all of them: query.go and bits.go pack a read, seed.go finds its syncmers, and
// lookup.go their places. settle.go is enough for most: a few seeds with one place each prove
// that no other place comes near. The others take all their seeds: chain.go makes candidates of
// hits on one diagonal, extend.go compares packed bases and aligns with gaps
// (internal/affine) where tail.go can't exclude that they pay, rescue.go looks for a mate
// where its partner says it should be, pair.go and mapq.go choose, and say how sure that
// is, on bwa-mem's scale. record.go makes BAM bytes.
//
// Results depend on the read, its mate, its ordinal in the input, the reference and
// [Params], and on nothing else.
package mapper
