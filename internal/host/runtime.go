package host

import "runtime/metrics"

// runtimeReader keeps the samples, so that the histogram's memory is used again.
type runtimeReader struct{ samples []metrics.Sample }

func newRuntimeReader() *runtimeReader {
	r := &runtimeReader{}
	for _, name := range []string{"/gc/cycles/total:gc-cycles", "/cpu/classes/gc/total:cpu-seconds",
		"/cpu/classes/gc/mark/assist:cpu-seconds", "/sync/mutex/wait/total:seconds", "/sched/latencies:seconds"} {
		r.samples = append(r.samples, metrics.Sample{Name: name})
	}
	return r
}

func (r *runtimeReader) read() maybe[Runtime] {
	metrics.Read(r.samples)
	kinds := []metrics.ValueKind{metrics.KindUint64, metrics.KindFloat64, metrics.KindFloat64, metrics.KindFloat64, metrics.KindFloat64Histogram}
	for i, want := range kinds {
		if s := &r.samples[i]; s.Value.Kind() != want {
			return missing[Runtime]("this Go runtime has no " + s.Name)
		}
	}
	v := Runtime{GCCycles: int64(r.samples[0].Value.Uint64()), gc: r.samples[1].Value.Float64(),
		assist: r.samples[2].Value.Float64(), MutexWaitSeconds: r.samples[3].Value.Float64()}
	v.SchedulerWaits, v.SchedulerWaitSeconds = sumOf(r.samples[4].Value.Float64Histogram())
	return maybe[Runtime]{value: v}
}

// sumOf counts a histogram, and adds up the lower ends of its buckets; the first begins below zero.
func sumOf(h *metrics.Float64Histogram) (n int64, least float64) {
	for i, count := range h.Counts {
		n += int64(count)
		least += float64(count) * max(0, h.Buckets[i])
	}
	return n, least
}
