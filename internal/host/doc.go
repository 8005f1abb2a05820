// Package host knows what the operating system says about this process and the machine it runs on.
//
// What may be used: [Threads], [CPULimit] and [MemoryLimit]. What was used, and what stood in the
// way: keep one [Reader] for the run, call [Reader.Read] at the ends of a stretch, and
// [Counters.Since] for what happened between. Where bytes lie: [FileOf] for a file's device,
// [DeviceCounters] for what the device did, [Cached] for what of a file is in memory and what is not
// yet on disk, [PipePartner] for who sits at the other end of a pipe.
//
// Every source is optional: kernels are built without it, containers hide it, other systems do not
// have it. What is missing is nil, with a reason in a field beside it that has the same name and
// Reason behind, and in JSON _reason; it is never 0. Nothing here decides anything: package verdict does.
package host
