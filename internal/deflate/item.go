package deflate

// An item is a literal or a match, packed for the writing loop, which treats both alike:
//
//	bits 0-8    the byte; or 256 + the match length less 3
//	bits 9-13   the distance symbol; noDistance for a literal
//	bits 14-27  the extra bits of the distance
type item = uint32

const (
	noDistance   = distCount
	distShift    = 9
	extraShift   = 14
	matchFlag    = 256
	literalItems = noDistance << distShift
)
