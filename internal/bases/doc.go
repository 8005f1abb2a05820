// Package bases turns the letters of a read into numbers: codes of two bits in words of 32
// bases, or a byte each; of the read or of its reverse complement.
//
// The scalar code in scalar.go defines what the answer is; letters_amd64.s has vector kernels
// for reads of a word and more, and gen/ makes them.
package bases
