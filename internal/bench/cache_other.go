//go:build !linux

package bench

import (
	"errors"

	"github.com/alignpipe/alignpipe/internal/vfs"
)

var errNotHere = errors.New("this system has no call for it")

func dropCache(vfs.File) error       { return errNotHere }
func noReadAhead(vfs.File) error     { return errNotHere }
func setDirect(vfs.File, bool) error { return errNotHere }
func freeBytes(string) (int64, bool) { return 0, false }
