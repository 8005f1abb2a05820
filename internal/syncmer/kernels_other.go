//go:build !amd64

package syncmer

var usable = []kernel{scalar}

var inUse = scalar

func findVector(dst []int32, packed []byte, kmers int) int { panic("syncmer: no vector kernel") }

func hashAVX2(dst *uint64, packed *byte, pos *int32, n int) { panic("syncmer: no vector kernel") }
