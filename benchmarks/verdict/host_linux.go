package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	cgroupRoot = "/sys/fs/cgroup"
	loopBytes  = 2 << 30 // of a device; its file is sparse
	// strictBytes is how much may be dirty on a device where writing is not to be hidden.
	strictBytes = 8 << 20
	quotaPeriod = 100_000 // microseconds, the kernel's default
)

// machineCPUs is how many CPUs this process may use.
func machineCPUs() int { return runtime.NumCPU() }

// canGroup says why control groups cannot be made here, or nil.
func canGroup(controller string) error {
	dir := filepath.Join(cgroupRoot, controller, fmt.Sprintf("alignpipe-probe-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("no version 1 control group for %s: %w", controller, err)
	}
	return os.Remove(dir)
}

// group is a version 1 control group of one run.
type group struct{ dirs []string }

// newGroup makes a group with the limits that are above zero.
func newGroup(name string, quotaCPUs float64, memory int64) (g *group, err error) {
	g = &group{}
	if quotaCPUs > 0 {
		err = g.add("cpu", name, "cpu.cfs_period_us", quotaPeriod, "cpu.cfs_quota_us", int64(quotaCPUs*quotaPeriod))
	}
	if memory > 0 && err == nil {
		err = g.add("memory", name, "memory.limit_in_bytes", memory)
	}
	if err != nil {
		return nil, errors.Join(err, g.remove())
	}
	return g, nil
}

func (g *group) add(controller, name string, settings ...any) error {
	dir := filepath.Join(cgroupRoot, controller, name)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	g.dirs = append(g.dirs, dir)
	for i := 0; i < len(settings); i += 2 {
		if err := setting(filepath.Join(dir, settings[i].(string)), fmt.Sprint(settings[i+1])); err != nil {
			return err
		}
	}
	return nil
}

// remove needs the processes in the group to be gone.
func (g *group) remove() (err error) {
	if g == nil {
		return nil
	}
	for _, dir := range g.dirs {
		err = errors.Join(err, os.Remove(dir))
	}
	g.dirs = nil
	return err
}

// reapGroups removes those of harnesses that were killed.
func reapGroups() (err error) {
	for _, controller := range []string{"cpu", "memory"} {
		dirs, _ := filepath.Glob(filepath.Join(cgroupRoot, controller, groupPrefix+"*")) // the pattern is a good one
		for _, dir := range dirs {
			pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), groupPrefix), "-")
			if _, serr := os.Stat("/proc/" + pid); errors.Is(serr, fs.ErrNotExist) {
				err = errors.Join(err, os.Remove(dir))
			}
		}
	}
	return err
}

// setting writes a file of the kernel's. It does not make it.
func setting(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// enter puts this process where the run is to be, and becomes the run.
func enter(groups []string, cpus []int, command []string) error {
	runtime.LockOSThread() // exec keeps the CPUs of the calling thread
	for _, dir := range groups {
		if err := setting(filepath.Join(dir, "cgroup.procs"), strconv.Itoa(os.Getpid())); err != nil {
			return err
		}
	}
	if len(cpus) > 0 {
		if err := bindTo(cpus); err != nil {
			return err
		}
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, command, os.Environ())
}

// bindTo binds the calling thread, and those that it starts, to CPUs.
func bindTo(cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("bind to CPUs %v: %w", cpus, err)
	}
	return nil
}

// dieWithParent makes a process end when this one is killed.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// dropCache takes a file out of the page cache.
func dropCache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil { // dirty pages stay
		return err
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("drop the cache of %s: %w", path, err)
	}
	return nil
}

// loop is a file system on a loop device, whose speed the kernel can be told.
type loop struct {
	device string // /dev/loopN
	number string // major:minor
	mount  string
	image  string
}

// newLoop makes the device and mounts it under dir.
func newLoop(ctx context.Context, dir, name string) (l *loop, err error) {
	l = &loop{image: filepath.Join(dir, name+".img"), mount: filepath.Join(dir, name)}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.remove())
		}
	}()
	if err := os.MkdirAll(l.mount, 0o777); err != nil {
		return l, err
	}
	if err := os.WriteFile(l.image, nil, 0o666); err != nil {
		return l, err
	}
	if err := os.Truncate(l.image, loopBytes); err != nil {
		return l, err
	}
	out, err := output(ctx, "losetup", "--find", "--show", "--direct-io=on", l.image)
	if err != nil {
		return l, err
	}
	l.device = strings.TrimSpace(out)
	if _, err := output(ctx, "mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", l.device); err != nil {
		return l, err
	}
	if _, err := output(ctx, "mount", "-o", "noatime", l.device, l.mount); err != nil {
		return l, err
	}
	if l.number, err = deviceNumber(l.device); err != nil {
		return l, err
	}
	return l, l.throttle(0, 0, false) // whoever had the number before may have left a rate
}

func deviceNumber(device string) (string, error) {
	number, err := os.ReadFile(filepath.Join("/sys/class/block", filepath.Base(device), "dev"))
	return strings.TrimSpace(string(number)), err
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// throttle sets the rates in bytes a second, 0 for none, and how much may be dirty.
func (l *loop) throttle(read, write float64, strict bool) error {
	err := errors.Join(
		setting(filepath.Join(cgroupRoot, "blkio/blkio.throttle.read_bps_device"), fmt.Sprintf("%s %.0f", l.number, read)),
		setting(filepath.Join(cgroupRoot, "blkio/blkio.throttle.write_bps_device"), fmt.Sprintf("%s %.0f", l.number, write)))
	bdi := filepath.Join("/sys/class/bdi", l.number)
	if strict {
		return errors.Join(err, setting(filepath.Join(bdi, "strict_limit"), "1"), setting(filepath.Join(bdi, "max_bytes"), strconv.Itoa(strictBytes)))
	}
	return errors.Join(err, setting(filepath.Join(bdi, "max_ratio"), "100"), setting(filepath.Join(bdi, "strict_limit"), "0"))
}

// remove undoes newLoop, as much as was done.
func (l *loop) remove() (err error) {
	ctx := context.Background() // also after an interrupt
	if l.number != "" {
		err = l.throttle(0, 0, false)
		_, uerr := output(ctx, "umount", l.mount)
		err = errors.Join(err, uerr)
	}
	if l.device != "" {
		_, derr := output(ctx, "losetup", "--detach", l.device)
		err = errors.Join(err, derr)
	}
	return errors.Join(err, gone(os.Remove(l.image)), gone(os.Remove(l.mount)))
}

// reapLoops undoes what a killed harness left under dir.
func reapLoops(dir string) error {
	images, err := filepath.Glob(filepath.Join(dir, "*.img"))
	for _, image := range images {
		_, _ = output(context.Background(), "umount", strings.TrimSuffix(image, ".img")) // it may not be mounted
		if out, oerr := output(context.Background(), "losetup", "--associated", image, "--output", "NAME", "--noheadings"); oerr == nil {
			for _, device := range strings.Fields(out) {
				number, nerr := deviceNumber(device)
				if nerr == nil {
					nerr = (&loop{number: number}).throttle(0, 0, false)
				}
				_, derr := output(context.Background(), "losetup", "--detach", device)
				err = errors.Join(err, nerr, derr)
			}
		}
		err = errors.Join(err, gone(os.Remove(image)))
	}
	return err
}

// canLoop says why throttled loop devices cannot be made, or nil.
func canLoop() error {
	if os.Geteuid() != 0 {
		return errors.New("loop devices need root")
	}
	for _, tool := range []string{"losetup", "mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return err
		}
	}
	for _, path := range []string{"/dev/loop-control", filepath.Join(cgroupRoot, "blkio/blkio.throttle.read_bps_device")} {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	return nil
}

func makeFifo(path string) error { return unix.Mkfifo(path, 0o666) }
