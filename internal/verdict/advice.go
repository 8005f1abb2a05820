package verdict

import "github.com/alignpipe/alignpipe/internal/meter"

// advice has a sentence for each class, or for a class and a stage.
var advice = map[string]string{
	CPU:                              "more cores, or a machine with faster ones, would help in proportion; a faster disk would not",
	CPU + " " + meter.NameDeflate:    "a lower --level compresses faster; more cores help in proportion",
	Serial:                           "one thread of this stage is all there can be; more cores or a faster disk would not help",
	Serial + " " + meter.NameInflate: "plain gzip inflates on one thread where there are fewer than four, or little memory: store the reads as BGZF (bgzip), whose blocks inflate in parallel",
	Serial + " " + meter.NameMerge:   "the merge is one thread: more --memory makes fewer runs to merge",
	InputIO:                          "put the reads on a faster device; more cores would not help",
	SpillIO:                          "raise --memory so that less is spilled, or point --tmpdir to a faster device",
	OutputIO:                         "write to a faster device, or raise --level if cores are idle",
	Starved:                          "speed up the program that writes into the input pipe, or read its source files directly",
	Backpressured:                    "speed up the program that reads the output pipe, or write to a file",
	SharedDisk:                       "spread reads, temporary files and output over devices of their own, or use a faster one",
	Throttled:                        "ask for a larger CPU quota (the job's or the container's limit); -t should not exceed it",
	Neighbour:                        "run when the machine is quiet, or reserve the cores: other programs take them now",
	Memory:                           "give the run more memory (the job's or container's limit): pages it needs are read from disk over and over",
	Lock:                             "raise --threads: the number of batches in flight grows with it",
	Startup:                          "give it more reads per run, or build the index once with 'alignpipe index'",
	Balanced:                         "no single change helps much: the first two limits have to be raised together",
	Undetermined:                     "measure a longer run, on a machine with nothing else to do",
}

// workersIdleCores is for a pool that is smaller than the machine and always busy.
const workersIdleCores = "cores are idle while this pool is always busy: raise --threads"

func adviceFor(v Verdict) string {
	if v.Class == CPU && v.Limits[0].Knob == KnobThreads {
		return workersIdleCores
	}
	if s, ok := advice[v.Class+" "+v.Stage]; ok {
		return s
	}
	return advice[v.Class]
}
