package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/alignpipe/alignpipe/internal/inflate"
	"github.com/alignpipe/alignpipe/internal/pipeline"
	"github.com/alignpipe/alignpipe/internal/vfs"
)

func TestGenomeAndReadsAreTheSameEveryTime(t *testing.T) {
	genome := makeGenome(50_000)
	if len(genome) != 50_000 || !bytes.Equal(genome, makeGenome(50_000)) {
		t.Fatal("two genomes of the same size differ")
	}
	for _, c := range genome {
		if !bytes.ContainsRune([]byte("ACGT"), rune(c)) {
			t.Fatalf("base %q", c)
		}
	}
	one, two, n, err := newReadMaker(genome).take(t.Context(), nil, nil, 100)
	again, _, _, _ := newReadMaker(genome).take(t.Context(), nil, nil, 100)
	if err != nil || n != 100 || !bytes.Equal(one, again) || bytes.Equal(one, two) {
		t.Errorf("%d pairs, error %v", n, err)
	}
}

// TestReadsComeFromTheGenome finds most reads of one strand or the other by a piece of 20 bases.
func TestReadsComeFromTheGenome(t *testing.T) {
	genome := makeGenome(50_000)
	reverse := bytes.Clone(genome)
	flip(reverse)
	one, _, _, _ := newReadMaker(genome).take(t.Context(), nil, nil, 200)
	found := 0
	for len(one) > 0 {
		lines := bytes.SplitN(one, []byte("\n"), 5)
		if len(lines[1]) != readBases || len(lines[3]) != readBases {
			t.Fatalf("record %q", one[:fourLines(one)])
		}
		if word := lines[1][60:80]; bytes.Contains(genome, word) || bytes.Contains(reverse, word) {
			found++
		}
		one = lines[4]
	}
	if found < 160 {
		t.Errorf("%d of 200 reads found", found)
	}
}

func TestContainersHoldWhatWasPacked(t *testing.T) {
	text, _, _, _ := newReadMaker(makeGenome(5_000)).take(t.Context(), nil, nil, 300)
	for _, container := range []string{containerPlain, containerGzip, containerBGZF} {
		t.Run(container, func(t *testing.T) {
			data, err := packed(text, container)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(t.TempDir(), "reads")
			if err := writeFile(vfs.OS, name, data); err != nil {
				t.Fatal(err)
			}
			if kind, err := containerOf(vfs.OS, name); kind != container || err != nil {
				t.Errorf("containerOf = %s, %v", kind, err)
			}
			if got := unpack(t, data); !bytes.Equal(got, text) {
				t.Errorf("%d bytes come back as %d others", len(text), len(got))
			}
		})
	}
}

func unpack(t *testing.T, data []byte) []byte {
	t.Helper()
	s, err := inflate.Open(t.Context(), bytes.NewReader(data), "test", inflate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []byte
	for {
		c, err := s.Next(t.Context())
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c.Data...)
		c.Release()
	}
}

// TestGivenReadsComeBack writes made-up reads, and takes them as if a user had given them.
func TestGivenReadsComeBack(t *testing.T) {
	const pairs = 250
	dir := t.TempDir()
	one, two, _, _ := newReadMaker(makeGenome(5_000)).take(t.Context(), nil, nil, pairs)
	paths := []string{filepath.Join(dir, "1.fq"), filepath.Join(dir, "2.fq")}
	for i, text := range [][]byte{one, two} {
		if err := writeFile(vfs.OS, paths[i], text); err != nil {
			t.Fatal(err)
		}
	}
	g, err := openGiven(t.Context(), vfs.OS, paths, 2)
	if err != nil {
		t.Fatal(err)
	}
	a, b, n, err := g.take(t.Context(), nil, nil, 100)
	if err != nil || n != 100 {
		t.Fatalf("%d pairs, %v", n, err)
	}
	a, b, n, err = g.take(t.Context(), a, b, 1000)
	if err != nil || n != pairs-100 || !bytes.Equal(a, one) || !bytes.Equal(b, two) {
		t.Errorf("%d more pairs, %v", n, err)
	}
	if err := g.close(); err != nil {
		t.Error(err)
	}
}

func TestGivenReadsMayBeLeftInTheMiddle(t *testing.T) {
	name := filepath.Join(t.TempDir(), "1.fq")
	text, _, _, _ := newReadMaker(makeGenome(5_000)).take(t.Context(), nil, nil, 50_000)
	if err := writeFile(vfs.OS, name, text); err != nil {
		t.Fatal(err)
	}
	g, err := openGiven(t.Context(), vfs.OS, []string{name}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := g.take(t.Context(), nil, nil, 10); err != nil {
		t.Error(err)
	}
	if err := g.close(); err != nil {
		t.Error(err)
	}
}

func TestInterleavedAndMeanBases(t *testing.T) {
	s := sample{texts: [][]byte{[]byte("@a\nAC\n+\nFF\n@b\nACGT\n+\nFFFF\n"), []byte("@a\nG\n+\nF\n@b\nT\n+\nF\n")}, reads: 4}
	const want = "@a\nAC\n+\nFF\n@a\nG\n+\nF\n@b\nACGT\n+\nFFFF\n@b\nT\n+\nF\n"
	if got := string(s.interleaved()); got != want {
		t.Errorf("interleaved %q", got)
	}
	if got := s.meanBases(); got != 3 {
		t.Errorf("mean of %g bases, want 3", got)
	}
}

// TestChaseVisitsEveryLine follows the chain once round.
func TestChaseVisitsEveryLine(t *testing.T) {
	const lines = 1000
	memory := make([]byte, lines*lineBytes)
	linkLines(memory, &rng{5})
	seen := map[uint32]bool{}
	at := 0
	for range lines {
		next := binary.LittleEndian.Uint32(memory[at*lineBytes:])
		seen[next] = true
		at = follow(memory, at, 1)
		if at != int(next) {
			t.Fatalf("follow leads to %d, want %d", at, next)
		}
	}
	if len(seen) != lines || at != 0 {
		t.Errorf("%d of %d lines seen, back at %d", len(seen), lines, at)
	}
}

func TestFoldersThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "missing"), file, "/proc"} {
		if err := checkFolder(vfs.OS, "--tmpdir", path); !errors.Is(err, pipeline.ErrMisuse) {
			t.Errorf("%s: error %v, want misuse", path, err)
		}
	}
	if err := checkFolder(vfs.OS, "--tmpdir", dir); err != nil {
		t.Error(err)
	}
	empty(t, dir, "file")
}

// empty tells what is in a folder but for the names given.
func empty(t *testing.T, dir string, but ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(but) {
		t.Errorf("left behind: %v", entries)
	}
}

func TestNamelessFileHasNoName(t *testing.T) {
	dir := t.TempDir()
	f, err := namelessFile(vfs.OS, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	empty(t, dir)
	if _, err := f.WriteAt([]byte("still a file"), 100); err != nil {
		t.Error(err)
	}
}

func TestFoldersAreRemovedAndNoMoreMade(t *testing.T) {
	dir := t.TempDir()
	f := folders{fsys: vfs.OS}
	private, err := f.make(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFile(vfs.OS, filepath.Join(private, "x"), nil); err != nil {
		t.Fatal(err)
	}
	if err := f.removeAll(); err != nil {
		t.Error(err)
	}
	empty(t, dir)
	if _, err := f.make(dir); !errors.Is(err, context.Canceled) {
		t.Errorf("a folder after the end: %v", err)
	}
	empty(t, dir)
}
