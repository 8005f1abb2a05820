package deflate

// What symbols cost that the code at hand does not have, in bits.
const (
	rareLiteral = 13
	rareLength  = 12
	rareDist    = 10
)

// costs are the bits that items take under a code made before.
type costs struct {
	before  [MaxInput + 1]uint32 // of the bytes before a place, as literals
	literal [256]uint32
	length  [256]uint32 // of a match length less minMatch
	dist    [32]uint32  // of a distance symbol
}

// prepare sets the costs of src under the code of these lengths.
func (c *costs) prepare(src []byte, lens *symbols[uint8]) {
	bits := func(symbol int, rare uint32) uint32 {
		if n := lens[symbol]; n > 0 {
			rare = uint32(n)
		}
		return rare + uint32(extraBits[symbol])
	}
	for b := range c.literal {
		c.literal[b] = bits(b, rareLiteral)
	}
	for l := range c.length {
		c.length[l] = bits(firstLength+int(lengthCode[l]), rareLength)
	}
	for s := range distCount {
		c.dist[s] = bits(firstDist+s, rareDist)
	}
	sum := uint32(0)
	for i, b := range src {
		c.before[i] = sum
		sum += c.literal[b]
	}
	c.before[len(src)] = sum
}

// saved returns how many bits a match at i saves, less than 0 when it costs more.
func (c *costs) saved(i, length, distance uint) int {
	literals := c.before[i+length] - c.before[i]
	return int(literals) - int(c.length[(length-minMatch)&255]) - int(c.dist[distSymbol(distance-1)&31])
}
