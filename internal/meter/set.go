package meter

// The names of the pipeline's stages, in the order a read meets them. The verdict knows each
// stage's role (input, spill, output) by its name.
const (
	NameRead       = "read"
	NameInflate    = "inflate"
	NameParse      = "parse"
	NameMap        = "map"
	NameSort       = "sort"
	NameSpillWrite = "spill-write"
	NameDuplicates = "duplicates"
	NameMergeRead  = "merge-read"
	NameMerge      = "merge"
	NameOrder      = "order"
	NameCollect    = "collect"
	NameDeflate    = "deflate"
	NameWrite      = "write"
	NameSync       = "sync"
)

// SetConfig has the sizes of the pools. Zero means one worker.
type SetConfig struct {
	ReadWorkers, InflateWorkers, ParseWorkers    int
	MapWorkers                                   int // as many sort and spill slabs at once
	MergeWorkers, CollectWorkers, DeflateWorkers int
	WriteWorkers                                 int
	InputPipe, OutputPipe                        bool // a fifo, socket or terminal instead of a file
}

// Set has one stage per station of the align pipeline. A run has either Order, or the stages from
// Sort to Merge; the others are idle.
type Set struct {
	Read, Inflate, Parse, Map, Sort, SpillWrite            *Stage // the stream phase
	Duplicates                                             *Stage // deciding; between the two
	MergeRead, Merge, Order, Collect, Deflate, Write, Sync *Stage // the merge phase; without a sort, the stream phase too
}

// NewSet makes all stages of a run.
func NewSet(c SetConfig) *Set {
	in, out := KindDeviceRead, KindDeviceWrite
	if c.InputPipe {
		in = KindPipeRead
	}
	if c.OutputPipe {
		out = KindPipeWrite
	}
	stage := func(name string, kind Kind, workers int) *Stage { return NewStage(name, kind, max(1, workers)) }
	set := &Set{
		Read:       stage(NameRead, in, c.ReadWorkers),
		Inflate:    stage(NameInflate, KindCPU, c.InflateWorkers),
		Parse:      stage(NameParse, KindCPU, c.ParseWorkers),
		Map:        stage(NameMap, KindCPU, c.MapWorkers),
		Sort:       stage(NameSort, KindCPU, c.MapWorkers),
		SpillWrite: stage(NameSpillWrite, KindDeviceWrite, c.MapWorkers),
		Duplicates: stage(NameDuplicates, KindCPU, c.MapWorkers),
		MergeRead:  stage(NameMergeRead, KindDeviceRead, c.MergeWorkers),
		Merge:      stage(NameMerge, KindCPU, c.MergeWorkers),
		Order:      stage(NameOrder, KindCPU, 1),
		Collect:    stage(NameCollect, KindCPU, c.CollectWorkers),
		Deflate:    stage(NameDeflate, KindCPU, c.DeflateWorkers),
		Write:      stage(NameWrite, out, c.WriteWorkers),
		Sync:       stage(NameSync, KindSync, 1),
	}
	for _, s := range []*Stage{set.Parse, set.Merge, set.Order} {
		s.SetSerial(true)
	}
	return set
}

// Stream returns the stages that run before the sort's barrier, in pipeline order.
func (s *Set) Stream() []*Stage {
	return []*Stage{s.Read, s.Inflate, s.Parse, s.Map, s.Sort, s.SpillWrite}
}

// Final returns the stages that run after it, or beside the others where nothing is sorted.
func (s *Set) Final() []*Stage {
	return []*Stage{s.Duplicates, s.MergeRead, s.Merge, s.Order, s.Collect, s.Deflate, s.Write, s.Sync}
}

// All returns all stages.
func (s *Set) All() []*Stage { return append(s.Stream(), s.Final()...) }

// Snapshots reads all the stages given.
func Snapshots(stages ...*Stage) []Snapshot {
	snaps := make([]Snapshot, len(stages))
	for i, s := range stages {
		snaps[i] = s.Snapshot()
	}
	return snaps
}
