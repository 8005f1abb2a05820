package gather

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// header is what stands before the first record: of one part as read, or joined of all so far.
type header struct {
	text  string // as it was, while all parts have the same
	dict  []byte // the binary dictionary, from n_ref on
	names []string
	lens  []int64

	lines *lines // the joined text, once two parts differ
}

const notBAM = "not a BAM file"

// readHeader reads a part's header. What it returns is its own.
func readHeader(s *stream) (*header, error) {
	path := s.src.p.path
	le := binary.LittleEndian
	head, err := s.take(8)
	if err != nil || string(head[:4]) != "BAM\x01" {
		return nil, notABAM(path, err)
	}
	text, err := s.take(int(le.Uint32(head[4:])))
	if err != nil {
		return nil, err
	}
	h := &header{text: strings.TrimRight(string(text), "\x00")} // the text may be padded
	count, err := s.take(4)
	if err != nil {
		return nil, err
	}
	h.dict = slices.Clone(count)
	for range le.Uint32(count) {
		name, err := s.take(4)
		if err != nil {
			return nil, err
		}
		h.dict = append(h.dict, name...)
		n := int(le.Uint32(name))
		entry, err := s.take(n + 4)
		if err != nil {
			return nil, err
		}
		if n < 1 || entry[n-1] != 0 {
			return nil, badData("", describe(path, "damaged: a reference without a name"))
		}
		h.dict = append(h.dict, entry...)
		h.names = append(h.names, string(entry[:n-1]))
		h.lens = append(h.lens, int64(le.Uint32(entry[n:])))
	}
	return h, nil
}

// notABAM is about a file that does not begin like one; err is why it could not be read.
func notABAM(path string, err error) error {
	if err != nil && onlyMachine(err) != nil {
		return err
	}
	return badData("parts are BAM files", describe(path, notBAM))
}

// join adds the header of the part at path to those of earlier parts.
func (h *header) join(other *header, path string, earlier []*part) error {
	if !sortedByCoordinate(other.text) {
		return badData("samtools sort puts it in order", describe(path, "its header does not say that it is sorted by coordinate"))
	}
	if len(earlier) == 0 {
		*h = *other
		return nil
	}
	first := earlier[0].path
	if !bytes.Equal(h.dict, other.dict) {
		return h.otherReference(other, path, first)
	}
	if h.text == other.text {
		return nil // so if h has lines, they are from this text and others
	}
	if h.lines == nil {
		h.lines = newLines()
		if err := h.lines.add(h.text); err != nil {
			return badData("", describe(first, "header: %w", err))
		}
	}
	if err := h.lines.add(other.text); err != nil {
		return badData(lineHint(err), describe(path, "header: %w", err))
	}
	return nil
}

func (h *header) otherReference(other *header, path, first string) error {
	const hint = "parts of one file are mapped to one reference; a file of another one cannot be joined"
	for i := range min(len(h.names), len(other.names)) {
		if h.names[i] != other.names[i] || h.lens[i] != other.lens[i] {
			return badData(hint, describe(path, "reference %d is %s of %d bases; in %s it is %s of %d",
				i+1, other.names[i], other.lens[i], first, h.names[i], h.lens[i]))
		}
	}
	return badData(hint, describe(path, "%d references; %s has %d", len(other.names), first, len(h.names)))
}

// sortedByCoordinate reads the @HD line.
func sortedByCoordinate(text string) bool {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Split(strings.TrimRight(line, "\r"), "\t")
	return fields[0] == "@HD" && slices.Contains(fields[1:], "SO:coordinate")
}

// encode returns the binary header of the output.
func (h *header) encode() []byte {
	text := h.text
	if h.lines != nil {
		text = h.lines.text()
	}
	b := append([]byte("BAM\x01"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(text)))
	return append(append(b, text...), h.dict...)
}

func lineHint(err error) string {
	var clash *clashError
	if errors.As(err, &clash) {
		return clash.hint
	}
	return ""
}
