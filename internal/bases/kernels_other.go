//go:build !amd64

package bases

var vectors = false

func packAVX2(dst *uint64, seq *byte, n int) (bad uint32)        { panic("bases: no kernel") }
func packReverseAVX2(dst *uint64, seq *byte, n int) (bad uint32) { panic("bases: no kernel") }
func codesAVX2(dst, seq *byte, n int)                            { panic("bases: no kernel") }
func codesReverseAVX2(dst, seq *byte, n int)                     { panic("bases: no kernel") }
