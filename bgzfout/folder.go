package bgzfout

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

var (
	// shardFile is any file that a ShardSet commits, but the manifest.
	shardFile = regexp.MustCompile(`^shard-[0-9]{5,}\.bam(\.bai|\.csi)?$`)
	// shardTemp is the temporary name of such a file, or of the manifest.
	shardTemp = regexp.MustCompile(`^\.alignpipe-(shard-[0-9]{5,}\.bam(?:\.bai|\.csi)?|manifest\.json)-`)
)

// openFolder makes dir, or takes an existing folder and clears away the temporary
// files that dead runs left in it. made tells whether dir is new.
func openFolder(fsys vfs.FS, dir string) (made bool, err error) {
	info, err := fsys.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err := fsys.Mkdir(dir, 0o777) // the umask has its say
		if err != nil && !errors.Is(err, fs.ErrExist) {
			fsys.Remove(dir) // a call that failed may still have made it
		}
		return err == nil, err
	case err != nil:
		return false, err
	case !info.IsDir():
		return false, fmt.Errorf("%s: exists and is not a folder", dir)
	}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if m := shardTemp.FindStringSubmatch(e.Name()); m != nil {
			vfs.ReapStale(fsys, filepath.Join(dir, m[1]))
		}
	}
	return false, nil
}

// syncParent makes a new folder's own name durable.
func syncParent(fsys vfs.FS, dir string, made bool) error {
	if !made {
		return nil
	}
	if err := fsys.SyncDir(filepath.Dir(filepath.Clean(dir))); err != nil {
		return fmt.Errorf("shards: %w", err)
	}
	return nil
}

// removeStale removes shard files that the manifest does not name, and returns those
// that stay. The data is whole without it, so that no error comes of it.
func removeStale(fsys vfs.FS, dir string, m *Manifest) (left []string) {
	named := map[string]bool{}
	for i := range m.Shards {
		named[m.Shards[i].Name], named[m.Shards[i].Index] = true, true
	}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !shardFile.MatchString(e.Name()) || named[e.Name()] {
			continue
		}
		if err := fsys.Remove(filepath.Join(dir, e.Name())); err != nil {
			left = append(left, e.Name())
		}
	}
	fsys.SyncDir(dir) // a removal that a power cut undoes is no loss of data
	return left
}
