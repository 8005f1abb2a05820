//go:build !klauspost_inflate && (amd64 || arm64)

package inflate

import (
	"strings"
	"testing"
)

func TestQuick(t *testing.T) {
	plain := string(fastq(2<<20, 40))
	for _, level := range []int{1, 6, 9} {
		in := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + string(deflated(t, []byte(plain), level)) + trailerOf(plain)
		for _, pb := range []int{1 << 10, 10_000, 64 << 10} {
			got, err := all(t, strings.NewReader(in+in), "x", Config{Workers: 4, pieceBytes: pb, guessRoom: 300 << 10})
			if err != nil || got != plain+plain {
				t.Errorf("chunks of %d: %d bytes, %v", pb, len(got), err)
			}
		}
	}
}
