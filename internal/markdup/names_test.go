package markdup

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func TestNamesAreCutWhereNeighboursAgree(t *testing.T) {
	for name, start := range map[string]string{
		"A00123:45:HXXX:1:1101:1234:5678":      "A00123:45:HXXX:1:1101:",
		"A00123:45:HXXX:1:1101:1234:5678:ACGT": "A00123:45:HXXX:1:1101:",
		"HWUSI:1:23:456:789":                   "HWUSI:1:23:",
		"SRR5204809.6198538":                   "SRR5204809.",
		"12345":                                "",
		"12:345":                               "",
		"read":                                 "read",
		"a:b:c:d:e:f":                          "a:b:c:d:e:f",
		"":                                     "",
	} {
		if got := name[:startOf([]byte(name))]; got != start {
			t.Errorf("%q is cut after %q, want %q", name, got, start)
		}
	}
}

// TestNamesCompareAsTheyAre holds the comparison of cut names against that of whole ones, also
// when there are more starts than the table takes.
func TestNamesCompareAsTheyAre(t *testing.T) {
	n := newNames()
	rng := rand.New(rand.NewPCG(1, 1))
	var whole [][]byte
	var cut []signature
	add := func(c *nameCutter, name string) {
		number, rest := c.cut([]byte(name))
		s := make(signature, pairFixed+len(rest))
		s.putPair(pairKey{}, 3, 0, 0, number, rest)
		whole, cut = append(whole, []byte(name)), append(cut, s)
	}
	c := &nameCutter{names: n}
	for i := range 400 {
		add(c, fmt.Sprintf("m:1:F:%d:%d:%d:%d", 1+i%2, 9+i%3, rng.IntN(30), rng.IntN(300)))
		add(c, fmt.Sprintf("SRR%d.%d", i%3, rng.IntN(2000)))
		add(c, fmt.Sprintf("m:1:F:1:9:%d", rng.IntN(30)))
	}
	for i := range maxPrefixes {
		n.find(fmt.Appendf(nil, "filler%d", i))
	}
	for i := range 400 {
		add(c, fmt.Sprintf("late%d.%d", i%5, rng.IntN(2000)))
	}
	add(c, strings.Repeat("x", maxName))
	if len(n.starts) > maxPrefixes || n.bytes > prefixBytes {
		t.Errorf("%d starts of %d bytes", len(n.starts), n.bytes)
	}
	var buf [maxName]byte
	for range 200_000 {
		i, j := rng.IntN(len(cut)), rng.IntN(len(cut))
		if got, want := n.compare(cut[i], cut[j]), bytes.Compare(whole[i], whole[j]); got != want {
			t.Fatalf("%q against %q: %d, want %d", whole[i], whole[j], got, want)
		}
		if got := n.append(buf[:0], cut[i]); !bytes.Equal(got, whole[i]) {
			t.Fatalf("%q came back as %q", whole[i], got)
		}
	}
}

func TestWorkersShareStarts(t *testing.T) {
	n := newNames()
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			c := &nameCutter{names: n}
			for i := range 2000 {
				c.cut(fmt.Appendf(nil, "m:1:F:1:%d:%d:1", i/10, i))
			}
		})
	}
	g.Wait()
	if len(n.starts) != 201 {
		t.Errorf("%d starts, want 201", len(n.starts))
	}
}

func TestLocation(t *testing.T) {
	for _, tt := range []struct {
		name string
		tile string
		x, y int64
		ok   bool
	}{
		{"M:1:F:2:1101:1234:5678", "M:1:F:2:1101:", 1234, 5678, true},
		{"M:1:F:2:1101:1234:5678:ACGT", "M:1:F:2:1101:", 1234, 5678, true},
		{"HWUSI:6:73:941:1973#0", "HWUSI:6:73:", 941, 1973, true},
		{"s:3:100:200", "s:3:", 100, 200, true},
		{"s:3:-7:+8", "s:3:", -7, 8, true},
		{"s:3:99999999999999999999:1", "s:3:", 2147483647, 1, true},
		{"a:b:c:d:e:f", "", 0, 0, false},
		{"M:1:F:2:1101:x:5678", "", 0, 0, false},
		{"M:1:F:2:1101:1:", "", 0, 0, false},
		{"SRR1.2", "", 0, 0, false},
	} {
		tile, x, y, ok := location([]byte(tt.name))
		if ok != tt.ok || ok && (tt.name[:tile] != tt.tile || x != tt.x || y != tt.y) {
			t.Errorf("%q: tile %q, %d, %d, %t", tt.name, tt.name[:tile], x, y, ok)
		}
	}
}
