package gather

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/alignpipe/alignpipe/bgzfout"
	"github.com/alignpipe/alignpipe/internal/inflate"
)

// FuzzPart: whatever the plain data of a part, it is refused as bad data, or its records come out
// as they went in.
func FuzzPart(f *testing.F) {
	recs := randomRecs(40, testRefs, 12)
	header := headerOf(testRefs, testText, "@RG\tID:1\n@PG\tID:a\tPP:b\n")
	whole := append(bytes.Clone(header), plainOf(recs)...)
	f.Add(whole, uint16(100))
	f.Add(whole[:len(whole)-3], uint16(5000))
	f.Add(header, uint16(60_000))
	f.Add([]byte("BAM\x01\xff\xff\xff\x7f"), uint16(7))
	good := filepath.Join(f.TempDir(), "good.bam")
	ownBAM(f, good, headerOf(testRefs, testText, ""), testRefs, recs, bgzfout.BAI)
	part := filepath.Join(f.TempDir(), "part.bam")
	f.Fuzz(func(t *testing.T, plain []byte, size uint16) {
		if len(plain) > 1<<20 || len(plain) > 200*int(size) { // blocks that would take the time
			return
		}
		var file bytes.Buffer
		w := bgzfout.NewWriter(&file, bgzfout.Config{})
		for at := 0; at < len(plain); at += int(size) {
			must(t, w.WriteRecord(plain[at:min(at+int(size), len(plain))]))
			must(t, w.Flush())
		}
		must(t, w.Close())
		must(t, os.WriteFile(part, file.Bytes(), 0o600))
		for _, parts := range [][]string{{part}, {good, part}} {
			var out bytes.Buffer
			cfg := config("", parts...)
			cfg.Output, cfg.Stdout = Stdout, &out
			_, err := Run(t.Context(), cfg)
			var known *Error
			switch {
			case err == nil && len(parts) == 1:
				if got := gunzip(t, out.Bytes()); !bytes.Equal(got, bytes.TrimRight(plain, "\x00")) && len(got) != len(plain) {
					t.Errorf("%d bytes became %d", len(plain), len(got))
				}
			case err == nil:
				if !bytes.HasSuffix(out.Bytes(), []byte(inflate.EOFBlock)) {
					t.Error("no end-of-file block")
				}
			case !errors.As(err, &known) || known.Class != BadData:
				t.Errorf("not the part's fault: %v", err)
			}
		}
	})
}
