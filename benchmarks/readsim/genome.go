package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sort"

	"github.com/klauspost/compress/gzip"
)

// genome holds two bits a base; what is not ACGT is A, and in holes.
type genome struct {
	packed  []byte
	total   int64
	contigs []contig
	holes   []hole // ascending, disjoint
}

type contig struct {
	name     string
	off, len int64
}

type hole struct{ start, end int64 }

func loadGenome(path string) (*genome, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var src io.Reader = bufio.NewReaderSize(f, 1<<20)
	if magic, _ := src.(*bufio.Reader).Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if src, err = gzip.NewReader(src); err != nil {
			return nil, err
		}
	}
	g := &genome{}
	if info, err := f.Stat(); err == nil {
		g.packed = make([]byte, 0, info.Size()/4+1)
	}
	return g, g.read(bufio.NewReaderSize(src, 1<<20))
}

func (g *genome) read(br *bufio.Reader) error {
	for {
		line, err := br.ReadSlice('\n')
		if len(line) > 0 && line[0] == '>' {
			if errors.Is(err, bufio.ErrBufferFull) {
				return errors.New("a name of a megabyte")
			}
			name, _, _ := bytes.Cut(bytes.TrimSpace(line[1:]), []byte(" "))
			g.contigs = append(g.contigs, contig{name: string(name), off: g.total})
		} else if len(g.contigs) > 0 {
			g.add(line)
		}
		switch {
		case err == io.EOF && g.total == 0:
			return errors.New("no sequence in it")
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

var codes = func() (t [256]uint8) {
	for i := range t {
		t[i] = 4
	}
	for i, c := range []byte("ACGT") {
		t[c], t[c|0x20] = uint8(i), uint8(i)
	}
	t['\n'], t['\r'] = 5, 5
	return t
}()

func (g *genome) add(line []byte) {
	from := g.total
	for _, c := range line {
		v := codes[c]
		if v > 3 {
			if v == 5 {
				continue
			}
			v = 0
			if n := len(g.holes); n > 0 && g.holes[n-1].end == g.total {
				g.holes[n-1].end++
			} else {
				g.holes = append(g.holes, hole{g.total, g.total + 1})
			}
		}
		if g.total&3 == 0 {
			g.packed = append(g.packed, 0)
		}
		g.packed[g.total>>2] |= v << (2 * uint(g.total&3))
		g.total++
	}
	g.contigs[len(g.contigs)-1].len += g.total - from
}

// base returns the code of the base at p.
func (g *genome) base(p int64) uint8 { return g.packed[p>>2] >> (2 * uint(p&3)) & 3 }

// contigAt returns the contig that holds p.
func (g *genome) contigAt(p int64) *contig {
	return &g.contigs[sort.Search(len(g.contigs), func(i int) bool { return g.contigs[i].off+g.contigs[i].len > p })]
}

// clear says whether [from, to) has no hole in it.
func (g *genome) clear(from, to int64) bool {
	i := sort.Search(len(g.holes), func(i int) bool { return g.holes[i].end > from })
	return i == len(g.holes) || g.holes[i].start >= to
}
