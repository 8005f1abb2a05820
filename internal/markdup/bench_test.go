package markdup

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

func cpu() time.Duration {
	user, system := meter.CPUNow()
	return user + system
}

// library returns pairs of 2x150 as a mapper emits them, a fifth of them duplicates and one in 50
// half mapped.
func library(pairs int) []record {
	rng := rand.New(rand.NewPCG(9, 9))
	qualities := make([]string, 64)
	for i := range qualities {
		b := bytes.Repeat([]byte("F"), 150)
		for range rng.IntN(30) {
			b[rng.IntN(150)] = ":,#"[rng.IntN(3)]
		}
		qualities[i] = string(b)
	}
	templates := make([]template, pairs)
	for i := range templates {
		t := &templates[i]
		left := rng.Int32N(200_000_000)
		right := left + 100 + rng.Int32N(300)
		if i > 0 && rng.IntN(5) == 0 {
			old := templates[rng.IntN(i)].reads
			left, right = old[0].pos, old[1].pos
		}
		t.name = fmt.Sprintf("A00123:45:HXXXDSX2:%d:%d:%d:%d", 1+i/1000%4, 1101+i/4000, rng.IntN(32000), rng.IntN(32000))
		t.reads = []aligned{{pos: left, cigar: "150M", qual: qualities[rng.IntN(64)]}, {pos: right, cigar: "150M", qual: qualities[rng.IntN(64)], reverse: true}}
		t.reads[1].unmapped = rng.IntN(50) == 0
	}
	return encode(0, templates)
}

func benchMarker(b *testing.B, memory int64, distance int) *Marker {
	m, err := New(Config{FS: vfs.OS, Dir: b.TempDir(), MemBytes: memory, Workers: 1, OpticalDistance: distance})
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func add(b *testing.B, m *Marker, records []record, shift uint64) {
	ctx := context.Background()
	for i := range records {
		if err := m.Writer(0).Add(ctx, records[i].ord+shift, records[i].data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAdd tells the cost of a pair while it is mapped, spilling included.
func BenchmarkAdd(b *testing.B) {
	const pairs = 20_000
	records := library(pairs)
	for _, memory := range []int64{8 << 20, 256 << 20} {
		b.Run(fmt.Sprintf("memory=%dMiB", memory>>20), func(b *testing.B) {
			b.ReportAllocs()
			m := benchMarker(b, memory, 0)
			defer m.Close()
			before := cpu()
			for i := 0; b.Loop(); i++ {
				add(b, m, records, uint64(i)*pairs<<OrdShift)
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N)/pairs, "cpu-ns/pair")
			b.ReportMetric(float64(m.SpilledBytes())/float64(b.N)/pairs, "spilled-B/pair")
		})
	}
}

// BenchmarkDecide tells the cost of a pair when all are known, on one thread.
func BenchmarkDecide(b *testing.B) {
	const pairs = 500_000
	records := library(pairs)
	for _, distance := range []int{0, 100} {
		for _, memory := range []int64{8 << 20, 256 << 20} {
			b.Run(fmt.Sprintf("optical=%d/memory=%dMiB", distance, memory>>20), func(b *testing.B) {
				b.ReportAllocs()
				var used time.Duration
				for b.Loop() {
					b.StopTimer()
					m := benchMarker(b, memory, distance)
					add(b, m, records, 0)
					b.StartTimer()
					before := cpu()
					d, err := m.Decide(context.Background())
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					used += cpu() - before
					d.Close()
					m.Close()
					b.StartTimer()
				}
				b.ReportMetric(float64(used)/float64(b.N)/pairs, "cpu-ns/pair")
			})
		}
	}
}
