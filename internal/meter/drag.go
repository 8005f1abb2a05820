package meter

// SetDrag makes every worker of a stage of [KindCPU] burn share times the CPU time of each piece of
// work, after it: a stage that is 1 + share times as slow, and uses the cores accordingly. Experiments
// that ask what a faster stage would bring take the drag away. Call it before there is work.
func (s *Stage) SetDrag(share float64) {
	if s != nil {
		s.drag = share
	}
}

// payDrag burns what the calling worker owes.
func (s *Stage) payDrag() {
	if s.drag <= 0 {
		return
	}
	tid := threadID()
	w := workerOf(tid)
	if w == nil || w.stage != s {
		return
	}
	now := threadCPU(tid)
	until := now + int64(s.drag*float64(w.dragOwedNS+now-w.dragFromNS))
	for now < until {
		now = threadCPU(tid)
	}
	w.dragOwedNS, w.dragFromNS = 0, now
}
