//go:build !amd64

package syncmer

var usable = []kernel{scalar}

var inUse = scalar

func findVector(dst []int32, packed []byte, kmers int) int { panic("syncmer: no vector kernel") }
