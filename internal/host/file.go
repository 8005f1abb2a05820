package host

import (
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// File says where a file lies.
type File struct {
	Device       string `json:"device"` // of the file system, major:minor
	DeviceReason string `json:"device_reason,omitempty"`
	// FileSystem is the type as mount(8) has it: ext4, xfs, tmpfs, nfs4, lustre, overlay, fuse.sshfs.
	FileSystem       *string `json:"file_system"`
	FileSystemReason string  `json:"file_system_reason,omitempty"`
	InMemory         bool    `json:"in_memory"` // tmpfs or ramfs
	// BlockDevice has the file system (sda1), Disk is what it is a part of (sda), or the same.
	BlockDevice       *string `json:"block_device"`
	BlockDeviceReason string  `json:"block_device_reason,omitempty"`
	Disk              *string `json:"disk"`
	DiskReason        string  `json:"disk_reason,omitempty"`
	Rotational        *bool   `json:"rotational"` // as the kernel believes: virtual disks often say so and are not
	RotationalReason  string  `json:"rotational_reason,omitempty"`
	Major             uint32  `json:"-"` // of the file system, for [DeviceCounters]
	Minor             uint32  `json:"-"`
	DiskMajor         uint32  `json:"-"` // of the whole disk
	DiskMinor         uint32  `json:"-"`
}

// FileOf says where a file or folder lies. Symbolic links are followed. Nothing is opened.
func FileOf(name string) File { return thisSystem().fileOf(statPath(name)) }

// FileOfFD does the same for an open file.
func FileOfFD(fd uintptr) File { return thisSystem().fileOf(statFD(fd)) }

// place is what stat and statfs say of a file.
type place struct {
	major, minor uint32
	magic        uint32 // of the file system
	pipe, socket bool
	err          error
}

// Magic numbers of file systems that mountinfo need not list under the file's own device.
var magics = map[uint32]string{
	0x01021994: "tmpfs", 0x858458f6: "ramfs", 0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x2fc12fc1: "zfs",
	0x6969: "nfs", 0x0bd00bd0: "lustre", 0x794c7630: "overlay", 0x65735546: "fuse", 0xff534d42: "cifs", 0xfe534d42: "smb2",
	0x47504653: "gpfs", 0x00c36400: "ceph", 0x19830326: "beegfs", 0xf2f52010: "f2fs", 0x4d44: "vfat", 0x01021997: "9p",
	0xaad7aaea: "panfs", 0x5346414f: "afs", 0xca451a4e: "bcachefs", 0x73717368: "squashfs", 0x6a656a63: "virtiofs",
	0xf15f: "ecryptfs", 0x9fa0: "proc", 0x62656572: "sysfs",
}

func (s system) fileOf(p place) File {
	if p.err != nil {
		reason := because(p.err)
		return File{DeviceReason: reason, FileSystemReason: reason, BlockDeviceReason: reason, DiskReason: reason, RotationalReason: reason}
	}
	f := File{Device: deviceNumber(p.major, p.minor), Major: p.major, Minor: p.minor, DiskMajor: p.major, DiskMinor: p.minor}
	switch {
	case p.pipe:
		f.noFileSystem("a pipe")
	case p.socket:
		f.noFileSystem("a socket")
	default:
		s.fileSystem(&f, p)
		s.blockDevice(&f)
	}
	return f
}

func deviceNumber(major, minor uint32) string {
	return strconv.FormatUint(uint64(major), 10) + ":" + strconv.FormatUint(uint64(minor), 10)
}

func (f *File) noFileSystem(what string) {
	f.FileSystemReason = what + " has no file system"
	f.noDevice(what + " is on no device")
}

func (f *File) noDevice(reason string) {
	f.BlockDeviceReason, f.DiskReason, f.RotationalReason = reason, reason, reason
}

// fileSystem prefers the name that mountinfo has: ext2, 3 and 4 share a magic number, and so does
// everything that is made by FUSE.
func (s system) fileSystem(f *File, p place) {
	kind := magics[p.magic]
	for _, m := range parseMounts(s.read("proc/self/mountinfo")) {
		if m.device == f.Device {
			kind = m.kind
			break
		}
	}
	f.InMemory = kind == "tmpfs" || kind == "ramfs"
	if kind == "" {
		f.FileSystemReason = "no name is known for magic number 0x" + strconv.FormatUint(uint64(p.magic), 16)
		return
	}
	f.FileSystem = &kind
}

// blockDevice follows /sys/dev/block: a partition's folder lies in that of its disk.
func (s system) blockDevice(f *File) {
	link := s.path("sys/dev/block", f.Device)
	dir, err := filepath.EvalSymlinks(link)
	if err != nil {
		f.noDevice(noBlockDevice(f))
		return
	}
	name := filepath.Base(dir)
	f.BlockDevice = &name
	if _, err := os.Stat(filepath.Join(dir, "partition")); err == nil {
		dir = filepath.Dir(dir)
		f.DiskMajor, f.DiskMinor = parseDevice(readFile(dir, "dev"), f.Major, f.Minor)
	}
	disk := filepath.Base(dir)
	f.Disk = &disk
	rotational, ok := firstNumber([]byte(readFile(dir, "queue/rotational")))
	if !ok {
		f.RotationalReason = "the kernel does not say"
		return
	}
	turns := rotational == 1
	f.Rotational = &turns
}

func noBlockDevice(f *File) string {
	if runtime.GOOS != "linux" {
		return notHere
	}
	if f.FileSystem == nil {
		return "device " + f.Device + " is no block device"
	}
	return *f.FileSystem + " shows no block device (" + f.Device + ")"
}

// readFile returns a file's text, "" where there is none.
func readFile(parts ...string) string { return system{}.read(path.Join(parts...)) }

// parseDevice reads "major:minor", and returns the other two where it is not that.
func parseDevice(text string, major, minor uint32) (uint32, uint32) {
	a, b, _ := strings.Cut(strings.TrimSpace(text), ":")
	x, errX := strconv.ParseUint(a, 10, 32)
	y, errY := strconv.ParseUint(b, 10, 32)
	if errX != nil || errY != nil {
		return major, minor
	}
	return uint32(x), uint32(y)
}
