package mapper

import (
	"context"
	"errors"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

// Load returns the index of a reference: that in an .apx file, mapped, or that of a FASTA file
// (plain, gzip or BGZF), built with as many threads. Whoever calls it closes it.
func Load(ctx context.Context, path string, threads int) (ix *Index, err error) {
	switch is, err := IsIndex(vfs.OS, path); {
	case err != nil:
		return nil, err
	case is:
		return OpenIndex(vfs.OS, path)
	}
	ref, err := LoadFASTA(vfs.OS, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ref.Close()) }() // the index has taken it over by then, if there is one
	return Build(ctx, ref, threads)
}
