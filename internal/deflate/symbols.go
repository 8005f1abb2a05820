package deflate

import "math/bits"

// The numbers of RFC 1951, 3.2.5 and 3.2.7.
const (
	endOfBlock  = 256
	firstLength = 257
	litLenCount = 286
	distCount   = 30
	maxCodeBits = 15

	minMatch    = 3
	maxMatch    = 258
	maxDistance = 1 << 15
)

// firstDist is where the distance symbols begin in symbols.
const firstDist = litLenCount

// symbols has something for each literal and length symbol, then for each distance symbol.
type symbols[T any] [litLenCount + distCount]T

// lengthCode has the symbol, less firstLength, of a match length less minMatch, and lengthExtra
// its extra bits.
var lengthCode, lengthExtra = func() (code, extra [256]uint8) {
	for i := range 256 {
		switch {
		case i < 8:
			code[i] = uint8(i)
		case i == maxMatch-minMatch:
			code[i] = litLenCount - 1 - firstLength
		default:
			n := bits.Len(uint(i)) - 3
			code[i], extra[i] = uint8(4*n+i>>n), uint8(n)
		}
	}
	return
}()

// extraBits are those that follow a symbol.
var extraBits = func() (extra symbols[uint8]) {
	for i := range 256 {
		extra[firstLength+int(lengthCode[i])] = lengthExtra[i]
	}
	for s := range uint(distCount) {
		extra[firstDist+s] = uint8(distExtra(s))
	}
	return
}()

// distBits returns the number of extra bits of a distance less one.
func distBits(d uint) uint { return uint(bits.Len(d|3)-2) & 15 }

// distSymbol returns the symbol of a distance less one.
func distSymbol(d uint) uint {
	n := distBits(d)
	return 2*n + d>>n
}

// distExtra returns the number of extra bits of a distance symbol.
func distExtra(symbol uint) uint {
	if symbol < 2 {
		return 0
	}
	return symbol/2 - 1
}
