package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/biogo/hts/bgzf"
)

// bgzipped writes text with another program's BGZF writer.
func bgzipped(t *testing.T, text []byte) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "reads.fq.gz"))
	if err != nil {
		t.Fatal(err)
	}
	w := bgzf.NewWriter(f, 1)
	_, err = w.Write(text)
	for _, err := range []error{err, w.Close(), f.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return f.Name()
}

// interleave puts the records of two FASTQ texts in turn.
func interleave(one, two []byte) []byte {
	var out []byte
	for len(one) > 0 {
		a, b := firstReads(one, 1), firstReads(two, 1)
		out = append(append(out, a...), b...)
		one, two = one[len(a):], two[len(b):]
	}
	return out
}

// many repeats a FASTQ text, each copy with names of its own.
func many(text []byte, copies int) []byte {
	var out []byte
	for i := range copies {
		out = append(out, bytes.ReplaceAll(text, []byte("@sim"), fmt.Appendf(nil, "@c%d.", i))...)
	}
	return out
}

// recordBytes are the decompressed records of a BAM file, without its header.
func recordBytes(t *testing.T, path string) []byte {
	t.Helper()
	r, err := bgzf.NewReader(bytes.NewReader(mustRead(t, path)), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	at := 8 + int(le32(data[4:]))
	refs := int(le32(data[at:]))
	at += 4
	for range refs {
		at += 8 + int(le32(data[at:]))
	}
	return data[at:]
}
