package sorter

const (
	digitBits = 8
	digits    = 64 / digitBits
	buckets   = 1 << digitBits
)

// radixSort orders a by key and keeps the order of equal keys, moving entries between a and
// scratch, which is as long; it returns the one of the two that holds the result. Bits that are
// zero in varying are the same in all keys, and bytes without any other are passed over:
// coordinates of a mammal take 5 passes.
func radixSort(a, scratch []entry, varying Key) []entry {
	if varying == 0 {
		return a
	}
	var counts [digits][buckets]int
	for i := range a {
		k := a[i].key
		for d := range counts {
			counts[d][byte(k>>(d*digitBits))]++
		}
	}
	for d := range counts {
		if byte(varying>>(d*digitBits)) == 0 {
			continue
		}
		starts(&counts[d])
		scatter(scratch, a, uint(d*digitBits), &counts[d])
		a, scratch = scratch, a
	}
	return a
}

// starts turns counts into the index of each bucket's first entry.
func starts(c *[buckets]int) {
	sum := 0
	for i, n := range c {
		c[i] = sum
		sum += n
	}
}

// scatter moves src to dst by one digit. next has where the next entry of each bucket goes.
func scatter(dst, src []entry, shift uint, next *[buckets]int) {
	dst = dst[:len(src)]
	for i := range src {
		e := src[i]
		b := byte(e.key >> shift)
		at := next[b]
		next[b] = at + 1
		dst[at] = e
	}
}
