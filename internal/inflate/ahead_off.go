//go:build klauspost_inflate || !(amd64 || arm64)

package inflate

import "context"

// Another library's decoder keeps its window to itself, so nothing can be decoded ahead.
type (
	ahead struct{}
	piece struct{}
)

func (a *ahead) read([]byte) (int, error) { return 0, nil }

func (g *gzipMember) lookAhead(context.Context) {}

func (g *gzipMember) jump(context.Context) error { return nil }

func (g *gzipMember) close() {}

// aheadBytes is what decoding ahead adds to a stream's memory.
func (c Config) aheadBytes() int64 { return 0 }
