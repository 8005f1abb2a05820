package inflate

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

// foreign are formats that are recognised only to be refused by name.
var foreign = []struct{ magic, name string }{
	{"BZh", "bzip2"},
	{"\xfd7zXZ\x00", "xz"},
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"PK\x03\x04", "zip"},
	{"CRAM", "CRAM"},
}

// decodeAs looks at the first bytes and decodes what they announce.
func (s *Stream) decodeAs(ctx context.Context) error {
	head, err := s.br.Peek(2)
	switch {
	case len(head) == 0:
		return s.nothing(err)
	case head[0] == 0x1f && len(head) == 1:
		return s.fail(0, err)
	case head[0] == 0x1f && head[1] == 0x8b:
		return s.decodeGzip(ctx)
	}
	for _, f := range foreign {
		if head, _ = s.br.Peek(len(f.magic)); string(head) == f.magic {
			return s.fail(0, fmt.Errorf("%s %w", f.name, ErrFormat))
		}
	}
	return s.plain(ctx)
}

// nothing judges an input without a byte: whole, unless its name says that it was compressed.
func (s *Stream) nothing(err error) error {
	for _, ext := range []string{".gz", ".bgz", ".bgzf"} {
		if strings.HasSuffix(strings.ToLower(s.name), ext) {
			return s.fail(0, err)
		}
	}
	if err == io.EOF {
		return nil
	}
	return s.fail(0, err)
}

// plain copies.
func (s *Stream) plain(ctx context.Context) error {
	s.format.Store(uint32(Plain))
	for {
		buf, err := s.room(ctx)
		if err != nil {
			return err
		}
		n, err := s.br.Read(buf)
		s.grew(n)
		s.cfg.InflateStage.AddBytesIn(int64(n))
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.fail(s.pos(), err)
		}
	}
}

// decodeGzip goes from member to member. A run of BGZF blocks is inflated in parallel, a member
// of another kind here; files of both kinds may be joined in any order.
func (s *Stream) decodeGzip(ctx context.Context) error {
	g := newMember(s)
	defer g.close()
	for first := true; ; first = false {
		head, err := s.br.Peek(3)
		if len(head) == 0 && err == io.EOF {
			return nil
		}
		if !first && !bytes.HasPrefix([]byte("\x1f\x8b\x08"), head) {
			return s.fail(s.pos(), ErrTrailing)
		}
		if size, _ := s.peekBlock(); size > 0 {
			err = s.splitBlocks(ctx)
		} else {
			err = g.inflate(ctx)
		}
		if err != nil {
			return err
		}
	}
}
