package inflate

import "hash/crc32"

// maxSums is how many sums a chunk may have; more members than that end a chunk early.
const maxSums = 64

// sum is a part of one member's plain data: the last of a chunk's Data, or what lies between two
// members' ends. Chunks have sums where their data is inflated out of order, so that no member can
// be checked before the parts are put together; the consumer does that.
type sum struct {
	to   int    // of Data; the part begins where the sum before ends
	size int64  // bytes: those, and for a member's first sum what earlier chunks had without sums
	crc  uint32 // of the same bytes

	ends      bool   // the member ends here, and its trailer says:
	wantCRC   uint32 //
	wantSize  uint32 // modulo 2^32
	member    int64  // compressed byte where the member starts
	deviceErr error  // what the device had said by then
}

// extend adds the last n bytes of Data to the last sum, or to a new one behind a member's end.
func (c *Chunk) extend(n int) {
	if last := len(c.sums) - 1; last < 0 || c.sums[last].ends {
		c.sums = append(c.sums, sum{})
	}
	p := &c.sums[len(c.sums)-1]
	p.to = len(c.Data)
	p.size += int64(n)
	p.crc = crc32.Update(p.crc, crc32.IEEETable, c.Data[p.to-n:])
}

// checksum is that of a member so far.
type checksum struct {
	crc  uint32
	size int64
}

// add puts a part behind what is there.
func (c *checksum) add(crc uint32, size int64) {
	if c.size > 0 {
		crc ^= shiftCRC(c.crc, size)
	}
	c.crc = crc
	c.size += size
}

// verify goes on with the sums of c. At a member that is not what its trailer says, Data and the
// stream end.
func (s *Stream) verify(c *Chunk) {
	for i := range c.sums {
		p := &c.sums[i]
		if p.size > 0 {
			s.sum.add(p.crc, p.size)
		}
		if !p.ends {
			continue
		}
		if s.sum.crc != p.wantCRC || uint32(s.sum.size) != p.wantSize {
			c.Data, c.err = c.Data[:p.to], s.failure(p.member, ErrChecksum, p.deviceErr)
			return
		}
		s.sum = checksum{}
	}
}

// shiftCRC returns what the checksum crc contributes to that of data with n more bytes behind. As
// polynomials over GF(2), which CRC-32 is about, it is crc times x^(8n), modulo the one of IEEE.
func shiftCRC(crc uint32, n int64) uint32 {
	for i := 0; n > 0; i++ {
		if n&1 != 0 {
			crc = mulCRC(crc, bytePowers[i])
		}
		n >>= 1
	}
	return crc
}

// bytePowers are x^8 to the power of 1, 2, 4, ...
var bytePowers = func() (p [63]uint32) {
	p[0] = 1 << (31 - 8)
	for i := 1; i < len(p); i++ {
		p[i] = mulCRC(p[i-1], p[i-1])
	}
	return p
}()

// mulCRC multiplies polynomials modulo that of IEEE. The highest bit is the coefficient of x^0.
func mulCRC(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31)
		b = b>>1 ^ crc32.IEEE&-(b&1)
	}
	return product
}
