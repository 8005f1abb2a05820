package host

import "time"

// Device is what a block device did, for everybody in this machine. Times are the kernel's, in
// milliseconds at best.
type Device struct {
	Seconds      float64 `json:"seconds"` // that these counts are of
	ReadBytes    int64   `json:"read_bytes"`
	WriteBytes   int64   `json:"write_bytes"`
	Reads        int64   `json:"reads"` // requests, after neighbours were merged
	Writes       int64   `json:"writes"`
	ReadSeconds  float64 `json:"read_seconds"` // from queue to end, summed over requests
	WriteSeconds float64 `json:"write_seconds"`
	BusySeconds  float64 `json:"busy_seconds"`       // in which there was a request; a device with many channels has room left at 100 %
	QueueSeconds float64 `json:"queue_seconds"`      // requests in flight, over time; by Seconds: their mean number
	InFlight     int64   `json:"requests_in_flight"` // now

	at time.Time
}

// DeviceCounters reads a block device's counts since the machine started; [File] has the numbers.
// Where there is no such device, as for network file systems and overlays, it is nil, with the reason.
func DeviceCounters(major, minor uint32) (*Device, string) {
	return thisSystem().deviceCounters(major, minor)
}

func (s system) deviceCounters(major, minor uint32) (*Device, string) {
	src := s.source("sys/dev/block", deviceNumber(major, minor), "stat")
	defer src.close()
	data, err := src.read(newScratch(512))
	if err != nil {
		return nil, because(err)
	}
	d, ok := parseDeviceStat(data)
	if !ok {
		return nil, src.path + " does not say"
	}
	d.at = time.Now()
	return &d, ""
}

// parseDeviceStat reads the eleven numbers that every kernel has: requests, merges, sectors of 512
// bytes and ms of reads, the same of writes, requests in flight, ms busy, ms in the queue.
func parseDeviceStat(data []byte) (Device, bool) {
	var n [11]int64
	if numbers(data, n[:]) != len(n) {
		return Device{}, false
	}
	return Device{Reads: n[0], ReadBytes: n[2] * 512, ReadSeconds: float64(n[3]) / 1e3,
		Writes: n[4], WriteBytes: n[6] * 512, WriteSeconds: float64(n[7]) / 1e3,
		InFlight: n[8], BusySeconds: float64(n[9]) / 1e3, QueueSeconds: float64(n[10]) / 1e3}, true
}

// wrapMS is where the kernel's milliseconds begin again: they have 32 bits.
const wrapMS = 1 << 32

// elapsed is a difference of times in seconds; at most one wrap lies between.
func elapsed(now, then float64) float64 {
	if now < then {
		now += wrapMS / 1e3
	}
	return apart(now, then)
}

// Since returns what the device did from an earlier reading to this one; InFlight is of this one.
func (d *Device) Since(e *Device) Device {
	return Device{Seconds: d.at.Sub(e.at).Seconds(),
		Reads: d.Reads - e.Reads, ReadBytes: d.ReadBytes - e.ReadBytes, ReadSeconds: elapsed(d.ReadSeconds, e.ReadSeconds),
		Writes: d.Writes - e.Writes, WriteBytes: d.WriteBytes - e.WriteBytes, WriteSeconds: elapsed(d.WriteSeconds, e.WriteSeconds),
		BusySeconds: elapsed(d.BusySeconds, e.BusySeconds), QueueSeconds: elapsed(d.QueueSeconds, e.QueueSeconds), InFlight: d.InFlight, at: d.at}
}
