package whatif

import (
	"fmt"
	"math"

	"github.com/alignpipe/alignpipe/internal/meter"
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
			f.Phases[i] = p.WallSeconds * will / was
		}
		f.WallSeconds += f.Phases[i]
	}
	return nil
}

// batches of a phase: those that the mappers took.
func batches(p verdict.Phase) int {
	for _, s := range p.Stations {
		if s.Name == meter.NameMap {
			return int(s.Batches)
		}
	}
	return 0
}

var errNoBatches = fmt.Errorf("no batches were counted: %w", verdict.ErrNoData)

const leastService = 1e-9 // seconds: nothing takes no time

func service(total float64, n int) float64 { return math.Max(leastService, total/float64(n)) }
