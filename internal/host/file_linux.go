package host

import (
	"os"

	"golang.org/x/sys/unix"
)

func statPath(name string) place {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return place{err: &os.PathError{Op: "stat", Path: name, Err: err}}
	}
	p := placeOf(&st)
	var fs unix.Statfs_t
	if unix.Statfs(name, &fs) == nil {
		p.magic = uint32(fs.Type)
	}
	return p
}

func statFD(fd uintptr) place {
	var st unix.Stat_t
	if err := unix.Fstat(int(fd), &st); err != nil {
		return place{err: os.NewSyscallError("fstat", err)}
	}
	p := placeOf(&st)
	var fs unix.Statfs_t
	if unix.Fstatfs(int(fd), &fs) == nil {
		p.magic = uint32(fs.Type)
	}
	return p
}

func placeOf(st *unix.Stat_t) place {
	kind := st.Mode & unix.S_IFMT
	return place{major: unix.Major(st.Dev), minor: unix.Minor(st.Dev), pipe: kind == unix.S_IFIFO, socket: kind == unix.S_IFSOCK}
}
