package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/biogo/hts/bgzf"

	"github.com/alignpipe/alignpipe/internal/vfs"
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

// otherWay is another way to the same bytes.
type otherWay struct {
	name   string
	change func(t *testing.T, c *Config)
}

// otherWays change what must not show in the output of lambdaConfig.
func otherWays() []otherWay {
	return []otherWay{
		{"again", func(*testing.T, *Config) {}},
		{"one thread", func(t *testing.T, c *Config) { c.Threads = 1 }},
		{"seven threads", func(t *testing.T, c *Config) { c.Threads = 7 }},
		{"least memory", func(t *testing.T, c *Config) { c.Memory = least(t, *c) }},
		{"plain text", func(t *testing.T, c *Config) {
			c.Reads = []string{write(t, "1.fq", gunzip(t, lambda1)), write(t, "2.fq", gunzip(t, lambda2))}
		}},
		{"carriage returns", func(t *testing.T, c *Config) {
			c.Reads[0] = write(t, "1.fq", bytes.ReplaceAll(gunzip(t, lambda1), []byte("\n"), []byte("\r\n")))
		}},
		{"bgzf", func(t *testing.T, c *Config) {
			c.Reads = []string{bgzipped(t, gunzip(t, lambda1)), bgzipped(t, gunzip(t, lambda2))}
		}},
		{"standard input", func(t *testing.T, c *Config) {
			c.Reads, c.Stdin = []string{"-", lambda2}, bytes.NewReader(gunzip(t, lambda1))
		}},
		{"interleaved standard input", func(t *testing.T, c *Config) {
			c.Reads, c.Interleaved, c.Stdin = []string{"-"}, true, bytes.NewReader(interleave(gunzip(t, lambda1), gunzip(t, lambda2)))
		}},
		{"plain reference", func(t *testing.T, c *Config) { c.Ref = write(t, "lambda.fa", gunzip(t, lambda)) }},
		{"saved index", func(t *testing.T, c *Config) {
			c.Ref = filepath.Join(t.TempDir(), "lambda.apx")
			if err := BuildIndex(t.Context(), vfs.OS, lambda, c.Ref, 2); err != nil {
				t.Fatal(err)
			}
		}},
	}
}
