package vfs

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Temporary names are `.alignpipe-<base>-<host>-<pid>-<random>`, in the folder of the file they
// will become, and `.alignpipe-tmp-<host>-<pid>-<random>` for folders. Host and pid let a later
// run tell what a killed one left from what a living one still writes.
const (
	tempPrefix = ".alignpipe-"
	dirPrefix  = ".alignpipe-tmp-"
	// maxBase keeps the whole name under the 255 bytes of a file name; a longer base is cut
	// and told apart by its hash.
	maxBase   = 120
	maxHost   = 64
	randBytes = 8
	// nameTries is how often a taken random name is drawn again.
	nameTries = 8
)

// initialPidNS is the link of the pid namespace of a machine outside all containers.
const initialPidNS = "pid:[4026531836]"

// hostTag names this machine and, inside a container, its pid namespace, since a pid says
// nothing about a process in another one.
var hostTag = sync.OnceValue(func() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	host = strings.ReplaceAll(host, "/", "_")
	if len(host) > maxHost {
		host = host[:maxHost]
	}
	if ns, err := os.Readlink("/proc/self/ns/pid"); err == nil && ns != initialPidNS {
		host += "." + strings.Trim(strings.TrimPrefix(ns, "pid:"), "[]")
	}
	return host
})

// ownTemps has the temporary names this process made and still owns.
var ownTemps sync.Map

// tempStem is a temporary name up to the pid.
func tempStem(base string) string {
	if len(base) > maxBase {
		h := fnv.New64a()
		h.Write([]byte(base))
		base = fmt.Sprintf("%s~%016x", base[:maxBase-17], h.Sum64())
	}
	return tempPrefix + base + "-" + hostTag() + "-"
}

// drawName makes a new temporary name in dir and hands it to create until that does not find
// it taken.
func drawName(dir, stem string, create func(name string) error) (string, error) {
	var err error
	for range nameTries {
		var r [randBytes]byte
		rand.Read(r[:]) // never fails
		name := filepath.Join(dir, fmt.Sprintf("%s%d-%s", stem, os.Getpid(), hex.EncodeToString(r[:])))
		ownTemps.Store(name, nil)
		if err = create(name); err == nil {
			return name, nil
		}
		ownTemps.Delete(name)
		if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return "", err
}

// stale reports whether entry, in dir, was made under stem by a process that is no more. A
// name with our own pid that we did not make is from an earlier process of that number.
func stale(dir, entry, stem string) bool {
	rest, ok := strings.CutPrefix(entry, stem)
	if !ok {
		return false
	}
	digits, random, ok := strings.Cut(rest, "-")
	pid, err := strconv.Atoi(digits)
	if !ok || err != nil || pid <= 0 || len(random) != 2*randBytes {
		return false
	}
	if _, err := hex.DecodeString(random); err != nil {
		return false
	}
	if pid == os.Getpid() {
		_, ours := ownTemps.Load(filepath.Join(dir, entry))
		return !ours
	}
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// reap removes what is stale under stem in dir. It is a courtesy: failing, it leaves things.
func reap(fsys FS, dir, stem string, remove func(name string) error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if stale(dir, e.Name(), stem) {
			_ = remove(filepath.Join(dir, e.Name()))
		}
	}
}

// ReapStale removes the temporary files that killed runs of this host left of the output path.
// Those of living processes and of other hosts stay; errors are passed over.
func ReapStale(fsys FS, path string) {
	target, err := fsys.EvalSymlinks(path)
	if err != nil {
		return
	}
	reap(fsys, filepath.Dir(target), tempStem(filepath.Base(target)), fsys.Remove)
}

// TempDir makes a folder under parent that only this user may enter, and first removes those
// that killed runs of this host left there. The caller removes it with fsys.RemoveAll.
func TempDir(fsys FS, parent string) (dir string, err error) {
	stem := dirPrefix + hostTag() + "-"
	reap(fsys, parent, stem, fsys.RemoveAll)
	dir, err = drawName(parent, stem, func(name string) error { return fsys.Mkdir(name, 0o700) })
	if err != nil {
		return "", fmt.Errorf("make temporary folder: %w", err)
	}
	return dir, nil
}

// Unnamed makes a file in a folder that has no name any more when it returns: nobody can find it, and it
// is gone with its last byte when it is closed. base is whose it is, should the process die in between.
func Unnamed(fsys FS, dir, base string) (File, error) {
	var f File
	name, err := drawName(dir, tempStem(base), func(name string) (err error) {
		f, err = fsys.CreateNew(name, 0o600)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			_ = fsys.Remove(name) // a call that failed may still have made the file
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := insist(func() error { return fsys.Remove(name) }); err != nil {
		f.Close()
		return nil, err
	}
	ownTemps.Delete(name)
	return f, nil
}
