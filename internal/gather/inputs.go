package gather

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/alignpipe/alignpipe/bgzfout"
)

// input is a part before it is opened.
type input struct {
	path    string
	info    fs.FileInfo
	records int64 // that a manifest counts; -1 where none does
}

// expand replaces folders by the shards that their manifests name, and refuses what would bring
// records in twice or lose a part.
func (r *run) expand() ([]input, error) {
	var all []input
	for _, path := range r.cfg.Parts {
		info, err := r.cfg.FS.Stat(path)
		if err != nil {
			return nil, err
		}
		switch mode := info.Mode(); {
		case mode.IsDir():
			shards, err := r.shards(path)
			if err != nil {
				return nil, err
			}
			all = append(all, shards...)
		case mode.IsRegular():
			all = append(all, input{path, info, -1})
		default:
			return nil, misuse("write it to a file first", "%s is a stream: parts are read at several places", path)
		}
	}
	return all, r.distinct(all)
}

// shards are the parts in a folder.
func (r *run) shards(dir string) ([]input, error) {
	name := filepath.Join(dir, bgzfout.ManifestName)
	text, err := readFile(r.cfg.FS, name)
	if err != nil {
		return nil, fmt.Errorf("shards: %w", err)
	}
	m, err := bgzfout.ParseManifest(text)
	if err != nil {
		return nil, badData("", describe(name, "%w", err))
	}
	if len(m.Shards) == 0 {
		return nil, badData("", describe(name, "it names no shards"))
	}
	all := make([]input, len(m.Shards))
	for i, s := range m.Shards {
		if s.Name != filepath.Base(s.Name) {
			return nil, badData("", describe(name, "%q is not in the folder", s.Name))
		}
		path := filepath.Join(dir, s.Name)
		info, err := r.cfg.FS.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.Size() != s.Bytes {
			return nil, badData("write the shards again", describe(path, "%d bytes, but the manifest says %d", info.Size(), s.Bytes))
		}
		all[i] = input{path, info, s.Records}
	}
	return all, nil
}

// distinct refuses a part that is given twice, and an output that is a part.
func (r *run) distinct(all []input) error {
	out, err := r.cfg.FS.Stat(r.cfg.Output)
	hasOut := r.cfg.Output != Stdout && err == nil
	names := map[string]bool{}
	bySize := map[int64][]input{} // only files of one size can be the same
	for _, in := range all {
		if hasOut && os.SameFile(in.info, out) {
			return misuse("choose another name for the output", "the output %s is one of the parts", r.cfg.Output)
		}
		twice := names[in.path]
		for _, other := range bySize[in.info.Size()] {
			twice = twice || os.SameFile(in.info, other.info)
		}
		if twice {
			return misuse("name each part once", "part %s is given twice", in.path)
		}
		names[in.path] = true
		bySize[in.info.Size()] = append(bySize[in.info.Size()], in)
	}
	return nil
}
