package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// row is one pair of a table of truth. The table has no header; its columns, separated by
// tabs, are the pair's name, the reference's name, and start and end of the first and of the
// second mate: 0-based, half-open.
type row struct {
	name, ref string
	mates     [2][2]int32
}

const columns = 6

// isTable goes by the name.
func isTable(path string) bool {
	return strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".tsv")
}

// eachRow calls f for every row of a table, plain or gzip.
func eachRow(path string, f func(row)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	br := bufio.NewReaderSize(file, 1<<20)
	var src io.Reader = br
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if src, err = gzip.NewReader(br); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	lines := bufio.NewScanner(src)
	for n := 1; lines.Scan(); n++ {
		r, err := parseRow(lines.Text())
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", path, n, err)
		}
		f(r)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func parseRow(line string) (r row, err error) {
	cells := strings.Split(line, "\t")
	if len(cells) != columns {
		return r, fmt.Errorf("%d columns, not %d", len(cells), columns)
	}
	r.name, r.ref = cells[0], strings.Clone(cells[1])
	for i, cell := range cells[2:] {
		at, err := strconv.ParseInt(cell, 10, 32)
		if err != nil {
			return r, err
		}
		r.mates[i/2][i%2] = int32(at)
	}
	return r, nil
}
