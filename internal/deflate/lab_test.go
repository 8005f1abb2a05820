package deflate

import (
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"
	"testing"

	kp "github.com/klauspost/compress/flate"
)

func cpuNS() int64 {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return r.Utime.Nano() + r.Stime.Nano()
}

func TestLab(t *testing.T) {
	prof := os.Getenv("LABREP") != ""
	for _, f := range []string{"nova", "hqe", "hqd"} {
		data, _ := os.ReadFile("/tmp/deflab/" + f + ".raw")
		if data == nil {
			t.Skip()
		}
		lv := 1
		fmt.Sscan(os.Getenv("LV"), &lv)
		e, _ := New(lv)
		out := make([]byte, 0, 70000)
		best, tot := int64(1<<62), 0
		reps := 3
		if prof {
			reps = 20
		}
		for r := range reps {
			st := cpuNS()
			tot = 0
			for i := 0; i < len(data); i += MaxInput {
				b := data[i:min(i+MaxInput, len(data))]
				out = e.Append(out[:0], b)
				tot += len(out) + 26
				crc32.ChecksumIEEE(b)
				if r == 0 && os.Getenv("CHECK") != "" {
					got, err := io.ReadAll(flate.NewReader(bytes.NewReader(out)))
					if err != nil || !bytes.Equal(got, b) {
						t.Fatal("bad", i, err, len(got))
					}
				}
			}
			if r > 0 {
				best = min(best, cpuNS()-st)
			}
		}
		fmt.Printf("%s own: %.0f MB/s ratio %.3f size %d\n", f, float64(len(data))/float64(best)*1e3, float64(len(data))/float64(tot), tot)
		if os.Getenv("KP") != "" {
			var bb bytes.Buffer
			w, _ := kp.NewWriter(&bb, 1)
			best = 1 << 62
			for range 3 {
				st := cpuNS()
				tot = 0
				for i := 0; i < len(data); i += MaxInput {
					b := data[i:min(i+MaxInput, len(data))]
					bb.Reset()
					w.Reset(&bb)
					w.Write(b)
					w.Close()
					tot += bb.Len() + 26
					crc32.ChecksumIEEE(b)
				}
				best = min(best, cpuNS()-st)
			}
			fmt.Printf("%s kp1: %.0f MB/s ratio %.3f size %d\n", f, float64(len(data))/float64(best)*1e3, float64(len(data))/float64(tot), tot)
		}
	}
}
