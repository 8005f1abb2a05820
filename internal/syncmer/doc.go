// Package syncmer finds the open syncmers of a packed sequence (Edgar 2021): the k-mers whose
// smallest s-mer is the middle one; and hashes them.
//
// Call [Find], then [Hash] for what it found. scalar.go and hash.go define what the answers are;
// find_amd64.s has vector kernels that give the same answers faster, and gen/ makes them and says
// how they work.
package syncmer
