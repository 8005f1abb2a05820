// Package syncmer finds the open syncmers of a packed sequence (Edgar 2021): the k-mers whose
// smallest s-mer is the middle one.
//
// Call [Find]. scalar.go defines what the answer is; find_amd64.s has vector kernels that give
// the same answer faster, and gen/ makes them and says how they work.
package syncmer
