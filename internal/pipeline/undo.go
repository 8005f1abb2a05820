package pipeline

import (
	"errors"
	"sync"
)

// undoList are the clean-up steps of a run; they are done once, the last first.
type undoList struct {
	mu    sync.Mutex
	steps []undoStep
}

// undoStep is one of them. A file step only removes files: it may run while goroutines
// of the run are stuck. The others free memory that goroutines use, or wait for them.
type undoStep struct {
	do   func() error
	file bool
}

func (u *undoList) file(do func() error)  { u.push(undoStep{do, true}) }
func (u *undoList) later(do func() error) { u.push(undoStep{do, false}) }

func (u *undoList) push(s undoStep) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.steps = append(u.steps, s)
}

// all does every step; the goroutines of the run have ended.
func (u *undoList) all() error {
	var errs []error
	steps := u.take()
	for i := len(steps) - 1; i >= 0; i-- {
		errs = append(errs, steps[i].do())
	}
	return errors.Join(errs...)
}

// filesOnly removes the files of a run that is stuck. The process is about to end, so
// errors have nowhere to go.
func (u *undoList) filesOnly() {
	steps := u.take()
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].file {
			_ = steps[i].do()
		}
	}
}

func (u *undoList) take() []undoStep {
	u.mu.Lock()
	defer u.mu.Unlock()
	steps := u.steps
	u.steps = nil
	return steps
}
