package deflate

import "math/bits"

const (
	endOfBlock   = 256
	litLenCount  = 286
	distCount    = 30
	maxCodeBits  = 15
	minMatch     = 3
	maxMatch     = 258
	maxDistance  = 1 << 15
	firstLenCode = 257
)

// lengthCode gives the symbol, less firstLenCode, and the extra bits of every match length less minMatch.
var lengthCode, lengthExtra = func() (code, extra [256]uint8) {
	for i := range 256 {
		switch {
		case i < 8:
			code[i] = uint8(i)
		case i == maxMatch-minMatch:
			code[i] = 28
		default:
			n := bits.Len(uint(i)) - 3
			code[i], extra[i] = uint8(4*n+i>>n), uint8(n)
		}
	}
	return
}()

// extraOfCode are the extra bits of the length symbols, less firstLenCode.
var extraOfCode = func() (extra [litLenCount - firstLenCode]uint8) {
	for i := range 256 {
		extra[lengthCode[i]] = lengthExtra[i]
	}
	return
}()

// distSymbol returns the symbol of a distance less one.
func distSymbol(d uint) uint {
	if d < 2 {
		return d
	}
	n := uint(bits.Len(d)) - 2
	return 2*n + d>>n
}

// distExtra returns the number of extra bits of a distance symbol.
func distExtra(symbol uint) uint {
	if symbol < 2 {
		return 0
	}
	return symbol/2 - 1
}
