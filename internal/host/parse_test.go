package host

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValue(t *testing.T) {
	const text = "nr_periods 12\nnr_throttled_more 7\nVmRSS:\t  340 kB\nnr_throttled 3\nbad x\nlast 9"
	tests := []struct {
		name, key string
		want      int64
		ok        bool
	}{
		{"a key and a number", "nr_periods", 12, true},
		{"a key that others begin with", "nr_throttled", 3, true},
		{"a colon, tabs, a unit", "VmRSS", 340, true},
		{"the last line needs no end", "last", 9, true},
		{"no number", "bad", 0, false},
		{"not there", "nr", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := value([]byte(text), tt.key); got != tt.want || ok != tt.ok {
				t.Errorf("value(%q) = %d, %t, want %d, %t", tt.key, got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestParseStatSumsTheCPUsOfThisProcess(t *testing.T) {
	const text = "cpu  1000 20 300 4000 50 6 7 8 0 0\n" +
		"cpu0 100 1 10 1000 5 2 3 4 90 0\ncpu1 200 2 20 2000 6 0 0 0 0 0\ncpu2 700 17 270 1000 39 4 4 4 0 0\nintr 5 0\nctxt 8\n"
	tests := []struct {
		name string
		cpus []int
		text string
		want Machine
		ok   bool
	}{
		{"one of three", []int{0}, text, Machine{CPUs: 1, BusySeconds: 1.16, IdleSeconds: 10, IOWaitSeconds: 0.05, StealSeconds: 0.04}, true},
		{"two of three", []int{0, 1}, text, Machine{CPUs: 2, BusySeconds: 3.38, IdleSeconds: 30, IOWaitSeconds: 0.11, StealSeconds: 0.04}, true},
		{"affinity unknown: all, but not their sum as well", nil, text, Machine{CPUs: 3, BusySeconds: 13.33, IdleSeconds: 40, IOWaitSeconds: 0.5, StealSeconds: 0.08}, true},
		{"an old kernel has four columns", nil, "cpu 1 0 1 2\ncpu0 1 0 1 2\n", Machine{CPUs: 1, BusySeconds: 0.02, IdleSeconds: 0.02}, true},
		{"a sandbox shows zeros", nil, "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n", Machine{CPUs: 1}, false},
		{"nothing", nil, "", Machine{}, false},
	}
	near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := (&Reader{cpus: tt.cpus}).parseStat([]byte(tt.text))
			if diff := cmp.Diff(tt.want, got, near); diff != "" || ok != tt.ok {
				t.Errorf("ok = %t, want %t; difference:\n%s", ok, tt.ok, diff)
			}
		})
	}
}

func TestParseCPUStat(t *testing.T) {
	tests := []struct {
		name, text string
		want       Throttled
		ok         bool
	}{
		{"v1 counts nanoseconds", "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\n",
			Throttled{Periods: 10, ThrottledPeriods: 4, ThrottledSeconds: 1.5}, true},
		{"v2 counts microseconds", "usage_usec 5\nnr_periods 10\nnr_throttled 4\nthrottled_usec 1500000\nnr_bursts 0\n",
			Throttled{Periods: 10, ThrottledPeriods: 4, ThrottledSeconds: 1.5}, true},
		{"v2's root has no periods", "usage_usec 5\nuser_usec 3\nsystem_usec 2\n", Throttled{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := parseCPUStat([]byte(tt.text)); !reflect.DeepEqual(got, tt.want) || ok != tt.ok {
				t.Errorf("parseCPUStat = %+v, %t, want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestParsePressure(t *testing.T) {
	const absent = "the kernel has no such figure"
	tests := []struct {
		name, text string
		want       Stall
		ok         bool
	}{
		{"both lines", "some avg10=0.12 avg60=0 avg300=0 total=2500000\nfull avg10=0 avg60=0 avg300=0 total=500000\n",
			Stall{SomeSeconds: 2.5, full: 0.5}, true},
		{"CPUs before Linux 5.13", "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", Stall{SomeSeconds: 7e-6, FullSecondsReason: absent}, true},
		{"no total", "some avg10=0.00\n", Stall{FullSecondsReason: absent}, false},
		{"empty", "", Stall{FullSecondsReason: absent}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := parsePressure([]byte(tt.text)); got != tt.want || ok != tt.ok {
				t.Errorf("parsePressure = %+v, %t, want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestParseHits(t *testing.T) {
	tests := []struct {
		name, text string
		want       int64
	}{
		{"v1 has one number", "17\n", 17},
		{"v2 has events: high and max are limits, low is none", "low 5\nhigh 3\nmax 4\noom 1\noom_kill 0\n", 7},
	}
	for _, tt := range tests {
		if got := parseHits([]byte(tt.text)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestParseProcessStat(t *testing.T) {
	tail := " S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1 0 987654 1 2"
	tests := []struct {
		name, text string
		want       processStat
		ok         bool
	}{
		{"a plain name", "12 (zcat)" + tail, processStat{"zcat", 200, 987654}, true},
		{"brackets and blanks in the name", "12 (a) b (c)" + tail, processStat{"a) b (c", 200, 987654}, true},
		{"cut short", "12 (zcat) S 1 2 3", processStat{}, false},
		{"no name", "12", processStat{}, false},
		{"ends with the name", "12 (x)", processStat{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := parseProcessStat([]byte(tt.text)); got != tt.want || ok != tt.ok {
				t.Errorf("parseProcessStat = %+v, %t, want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestParseMounts(t *testing.T) {
	tests := []struct {
		name, text string
		want       []mount
	}{
		{"optional fields before the dash", "36 35 98:0 / /mnt rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\n",
			[]mount{{"98:0", "/", "/mnt", "ext3", "rw,errors=continue"}}},
		{"none of them", "36 35 0:5 /a /b rw - tmpfs none rw\n", []mount{{"0:5", "/a", "/b", "tmpfs", "rw"}}},
		{"blanks in names", `36 35 0:5 / /my\040disk rw - fuse.x x\040y rw` + "\n", []mount{{"0:5", "/", "/my disk", "fuse.x", "rw"}}},
		{"lines that are not of that form", "\n36 35\nx - y\n36 35 0:5 / / rw\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseMounts(tt.text); !slices.Equal(got, tt.want) {
				t.Errorf("parseMounts = %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestOnlineCPUs(t *testing.T) {
	for text, want := range map[string]int{"0\n": 1, "0-7": 8, "0-3,8-11\n": 8, "0,2,4": 3, "": 0, "x": 0, "3-1": 0, "0-": 0, "0,,1": 0} {
		if got := onlineCPUs(text); got != want {
			t.Errorf("onlineCPUs(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestParseDeviceStat(t *testing.T) {
	got, ok := parseDeviceStat([]byte("  100  5  2000  300  40  6  8000  7000  2  5000  7300  0 0 0 0 9 10\n"))
	want := Device{Reads: 100, ReadBytes: 1024000, ReadSeconds: 0.3, Writes: 40, WriteBytes: 4096000, WriteSeconds: 7,
		InFlight: 2, BusySeconds: 5, QueueSeconds: 7.3}
	if got != want || !ok {
		t.Errorf("parseDeviceStat = %+v, %t, want %+v", got, ok, want)
	}
	if _, ok := parseDeviceStat([]byte("1 2 3 4")); ok {
		t.Error("four numbers were taken for eleven")
	}
}

func TestDeviceTimesBeginAgain(t *testing.T) {
	before, after := &Device{QueueSeconds: 4294967.0, BusySeconds: 5}, &Device{QueueSeconds: 0.704, BusySeconds: 7}
	d := after.Since(before)
	near(t, "queue", d.QueueSeconds, 1)
	near(t, "busy", d.BusySeconds, 2)
}

// FuzzParsers: what the kernel, or a sandbox that plays it, may write must never end the run, and
// what is written back in the kernel's form must be read as it was.
func FuzzParsers(f *testing.F) {
	for _, seed := range []string{"", "cpu0 1 2 3 4\n", "some total=5\nfull total=x", "1 2 3 4 5 6 7 8 9 10 11", "12 (a) b) S 1 2",
		"36 35 98:0 / /m\\04 rw - ext4 d o", "3:cpu,x:/a\n0::/b", "0-3,9999999", "flags:\t0100001\n", "100000 0", "nr_periods", "max 5", "-9223372036854775808 1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := string(data)
		_, _ = parseIO(data)
		_, _ = parseStatus(data)
		_, _ = (&Reader{}).parseStat(data)
		_, _ = parseCPUStat(data)
		_, _ = parsePressure(data)
		_, _ = parseDeviceStat(data)
		_, _ = parseProcessStat(data)
		_, _ = parseFlags(data)
		_ = parseHits(data)
		if q := parseMax(data); q.set() && q.cpus() <= 0 {
			t.Errorf("a quota of %g CPUs", q.cpus())
		}
		if n := onlineCPUs(before); n < 0 {
			t.Errorf("%d CPUs online", n)
		}
		for _, controller := range []string{"", "cpu"} {
			if name, ok := ownGroup(before, controller); ok && !strings.Contains(before, name) {
				t.Errorf("the group %q is not in the text", name)
			}
		}
		if string(data) != before {
			t.Error("a parser changed its input")
		}
		escaped := strings.NewReplacer(`\`, `\134`, " ", `\040`, "\n", `\012`, "\t", `\011`).Replace(before)
		if got := unescape(escaped); got != before {
			t.Errorf("unescape(%q) = %q, want %q", escaped, got, before)
		}
		_ = parseMounts(before)
	})
}
