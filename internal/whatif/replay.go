package whatif

import (
	"fmt"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/model"
	"github.com/alignpipe/alignpipe/internal/report"
	"github.com/alignpipe/alignpipe/internal/verdict"
)

// replayInFlight puts in place of the phases in which batches are in flight what a simulation of these says:
// queues and limits are nothing that demands alone could tell.
func replayInFlight(r *report.Report, inFlight int, f *verdict.Forecast) error {
	if r.Flight.MeanStaySeconds == nil {
		return fmt.Errorf("no batch was in flight: %w", verdict.ErrNoData)
	}
	f.WallSeconds = 0
	for i, p := range r.Model.Phases {
		if p.InFlight > 0 {
			was, err := simulate(r.Model, p, p.InFlight)
			if err != nil {
				return err
			}
			will, err := simulate(r.Model, p, inFlight)
			if err != nil {
				return err
			}
			f.Phases[i] *= will / was
		}
		f.WallSeconds += f.Phases[i]
	}
	return nil
}

// simulate is the time of a phase's line with so many batches in flight: the parser takes one, and
// the mappers give it back. Inflating goes on beside it, and takes cores.
func simulate(l verdict.Load, p verdict.Phase, inFlight int) (float64, error) {
	n := 0
	for _, s := range p.Stations {
		if s.Name == meter.NameMap {
			n = int(s.Batches)
		}
	}
	if n == 0 {
		return 0, fmt.Errorf("no batches were counted: %w", verdict.ErrNoData)
	}
	line := model.Line{Items: min(n, mostBatches), InFlight: inFlight, Seed: 1,
		Resources: []model.Resource{{Name: "cores", Kind: model.Cores, Capacity: max(l.CPUs-beside(p), 0.1)}}}
	for _, s := range p.Stations {
		if s.Name == meter.NameParse || s.Name == meter.NameMap {
			line.Stages = append(line.Stages, model.Stage{Name: s.Name, Workers: s.Workers, Queue: 2 * l.Threads,
				ServiceSeconds: s.CPUSeconds / float64(n), Resource: "cores"})
		}
	}
	result, err := model.Simulate(line)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", err, verdict.ErrNoData)
	}
	return result.MakespanSeconds, nil
}

// mostBatches bounds the simulation; more of them go on as those do.
const mostBatches = 5000

// beside is how many cores the stages take that are not in the line.
func beside(p verdict.Phase) float64 {
	var cpu float64
	for _, s := range p.Stations {
		if s.Name != meter.NameParse && s.Name != meter.NameMap {
			cpu += s.CPUSeconds
		}
	}
	return cpu / p.WallSeconds
}
