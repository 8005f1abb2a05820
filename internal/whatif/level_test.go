package whatif

import (
	"bytes"
	"testing"

	"github.com/alignpipe/alignpipe/internal/deflate"
)

// bgzfBlock is one block, as bgzfout writes it.
func bgzfBlock(t testing.TB, plain []byte) []byte {
	t.Helper()
	e, err := deflate.New(1)
	if err != nil {
		t.Fatal(err)
	}
	body := e.Append(nil, plain)
	size := header + len(body) + trailer - 1
	b := append([]byte{0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 'B', 'C', 2, 0, byte(size), byte(size >> 8)}, body...)
	n := len(plain)
	return append(b, 0, 0, 0, 0, byte(n), byte(n>>8), byte(n>>16), byte(n>>24)) // the sample's checksum is not looked at
}

func TestFirstBlock(t *testing.T) {
	plain := bytes.Repeat([]byte("ACGTTGCA"), 400)
	block := bgzfBlock(t, plain)
	tests := []struct {
		name string
		data []byte
		want []byte
	}{
		{"nothing", nil, nil},
		{"a block", block, plain},
		{"the end of another before it", append([]byte("tail"), block...), plain},
		{"what looks like a block before it", append([]byte{0x1f, 0x8b, 8, 4, 1, 2}, block...), plain},
		{"a block that is cut off", block[:len(block)-1], nil},
		{"a cut one after a whole one", append(bytes.Clone(block), block[:20]...), plain},
		{"an empty one before it", append(bgzfBlock(t, nil), block...), plain},
		{"a size that is too small", append(append([]byte{}, block[:16]...), 1, 0), nil},
	}
	for _, tt := range tests {
		if got := firstBlock(tt.data); !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %d bytes, want %d", tt.name, len(got), len(tt.want))
		}
	}
}

func FuzzFirstBlock(f *testing.F) {
	block := bgzfBlock(f, []byte("reads and reads and reads"))
	f.Add(block)
	f.Add(block[5:])
	f.Add(append(bytes.Clone(magic), block...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := firstBlock(data); got != nil && !bytes.Equal(firstBlock(bgzfBlock(t, got)), got) && len(got) < 1<<15 {
			t.Errorf("%d bytes do not come back", len(got))
		}
	})
}
