package meter

import "sync"

// Device is what the calls of one or several stages go to: a disk, or the program at the other end
// of a pipe. It is busy while at least one call is under way, however many stages and goroutines
// wait for it: that is the share of the time in which a faster device would have helped.
// A nil *Device records nothing.
type Device struct {
	name string

	mu      sync.Mutex
	calls   int // under way
	sinceNS int64
	busyNS  int64
}

// NewDevice makes the account of a device that has not been used.
func NewDevice(name string) *Device { return &Device{name: name} }

// Name returns the device's name, and "" for nil.
func (d *Device) Name() string {
	if d == nil {
		return ""
	}
	return d.name
}

func (d *Device) enter() {
	if d == nil {
		return
	}
	d.mu.Lock()
	if d.calls == 0 {
		d.sinceNS = nowNS()
	}
	d.calls++
	d.mu.Unlock()
}

func (d *Device) leave() {
	if d == nil {
		return
	}
	d.mu.Lock()
	if d.calls--; d.calls == 0 {
		d.busyNS += nowNS() - d.sinceNS
	}
	d.mu.Unlock()
}

// BusyNS returns the nanoseconds in which at least one call was under way, up to now.
func (d *Device) BusyNS() int64 {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls > 0 {
		return d.busyNS + nowNS() - d.sinceNS
	}
	return d.busyNS
}

// SetDevice says where the stage's calls go. Call it before the first.
func (s *Stage) SetDevice(d *Device) {
	if s != nil {
		s.device = d
	}
}

// Device returns what SetDevice said.
func (s *Stage) Device() *Device {
	if s == nil {
		return nil
	}
	return s.device
}
