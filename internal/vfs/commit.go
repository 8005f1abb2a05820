package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
)

// Commit brings the files under their final names, in the order given, and returns when they
// are durable. When any step fails it goes back: final names hold what they held before, the
// temporary files are removed, and the first error is returned. Where a file system has no
// hard links there is no copy of an old target to go back to, and that target is removed if a
// later file of the same commit fails.
func Commit(files ...*Atomic) error {
	moves := make([]move, len(files))
	for i, a := range files {
		moves[i].Atomic = a
	}
	err := commit(moves)
	if err != nil {
		return errors.Join(err, rollback(moves))
	}
	for i := range moves {
		moves[i].dropSpare()
		moves[i].mu.Lock()
		moves[i].finish()
		moves[i].mu.Unlock()
	}
	return nil
}

// move is one file on its way to its final name.
type move struct {
	*Atomic
	spare string // second name of the old target; "" where there was none
	moved bool   // rename was tried
}

func commit(moves []move) error {
	for i := range moves {
		if err := moves[i].seal(); err != nil {
			return err
		}
	}
	for i := range moves {
		if err := moves[i].keepOld(); err != nil {
			return fmt.Errorf("keep old %s: %w", moves[i].path, err)
		}
	}
	for i := range moves {
		m := &moves[i]
		m.moved = true
		if err := m.fsys.Rename(m.temp, m.target); err != nil {
			return fmt.Errorf("commit %s: %w", m.path, err)
		}
	}
	return syncDirs(moves)
}

// syncDirs makes the names durable, each folder once.
func syncDirs(moves []move) error {
	synced := map[string]bool{}
	for _, m := range moves {
		dir := filepath.Dir(m.target)
		if synced[dir] {
			continue
		}
		synced[dir] = true
		if err := m.fsys.SyncDir(dir); err != nil {
			return fmt.Errorf("sync folder of %s: %w", m.path, err)
		}
	}
	return nil
}

// keepOld gives the file that will be replaced a second name. The name is one that ReapStale
// removes, should this process be killed.
func (m *move) keepOld() error {
	dir, base := filepath.Split(m.target)
	var tried string
	spare, err := drawName(dir, tempStem(base), func(name string) error {
		tried = name
		return m.fsys.Link(m.target, name)
	})
	switch {
	case err == nil:
		m.spare = spare
	case errors.Is(err, fs.ErrNotExist), noHardLinks(err):
		err = nil
	default:
		_ = m.fsys.Remove(tried) // a link call that failed may still have linked
	}
	return err
}

// noHardLinks tells a file system or a policy without hard links from a failing disk.
func noHardLinks(err error) bool {
	for _, e := range []error{syscall.EPERM, syscall.ENOTSUP, syscall.ENOSYS, syscall.EMLINK} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// rollback undoes what commit did, last file first, and says what it could not undo.
func rollback(moves []move) error {
	var errs []error
	renamed := false
	for i := len(moves) - 1; i >= 0; i-- {
		m := &moves[i]
		renamed = renamed || m.moved
		errs = append(errs, m.restore())
		errs = append(errs, m.Abort())
	}
	if renamed {
		errs = append(errs, insist(func() error { return syncDirs(moves) }))
	}
	return errors.Join(errs...)
}

// restore puts the old target back, or removes the new one where there was none.
func (m *move) restore() error {
	var err error
	switch {
	case !m.moved:
	case m.spare != "":
		err = insist(func() error { return m.fsys.Rename(m.spare, m.target) })
	case m.tempGone():
		err = insist(func() error { return m.fsys.Remove(m.target) })
	}
	if err != nil {
		return fmt.Errorf("restore %s: %w", m.path, err) // the spare name keeps the old file
	}
	m.dropSpare()
	return nil
}

// tempGone reports whether the rename took place; its error alone does not tell.
func (m *move) tempGone() bool {
	_, err := m.fsys.Stat(m.temp)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		_, err = m.fsys.Stat(m.temp)
	}
	return errors.Is(err, fs.ErrNotExist)
}

// dropSpare removes the second name of the old target. A rename onto another name of the same
// file does nothing, so after a rollback it may still be there.
func (m *move) dropSpare() {
	if m.spare == "" {
		return
	}
	_ = insist(func() error { return m.fsys.Remove(m.spare) }) // else ReapStale has it later
	ownTemps.Delete(m.spare)
	m.spare = ""
}
