package bench

import (
	"math"
	"testing"
	"time"

	"github.com/alignpipe/alignpipe/internal/meter"
	"github.com/alignpipe/alignpipe/internal/pipeline"
)

func TestKnee(t *testing.T) {
	tests := []struct {
		name  string
		rates []float64
		want  int
	}{
		{"saturates", []float64{50, 90, 98, 100, 99}, 2},
		{"a jam behind the best", []float64{50, 100, 80, 60}, 1},
		{"goes on rising", []float64{10, 20, 40}, 2},
		{"flat from the start", []float64{100, 99, 101}, 0},
		{"one point", []float64{1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := knee(tt.rates); got != tt.want {
				t.Errorf("knee(%v) = %d, want %d", tt.rates, got, tt.want)
			}
		})
	}
}

func TestHandoffSpeedUpIsPairByPair(t *testing.T) {
	h := handoffOf([]float64{200, 90, 150}, []float64{100, 50, 100})
	if h.SpeedUp == nil || *h.SpeedUp != (Figure{1.8, 1.5, 2, 3}) {
		t.Errorf("speed-up %+v", h.SpeedUp)
	}
	h = handoffOf([]float64{1}, nil)
	if h.Queue == nil || h.Barrier != nil || h.BarrierReason == "" || h.SpeedUp != nil || h.SpeedUpReason == "" {
		t.Errorf("queues alone give %+v", h)
	}
}

func TestPassTime(t *testing.T) {
	tests := []struct {
		name     string
		services []Service
		cpus     float64
		share    float64
		want     float64
	}{
		{"whole batches add up", []Service{{"a", 4, 1, 1}, {"b", 3, 1, 1}, {"c", 5, 1, 1}}, 8, 1, 12},
		{"in four pieces the stages overlap", []Service{{"a", 4, 1, 4}, {"b", 4, 1, 4}, {"c", 4, 1, 4}}, 8, 1, 3 + 3}, // (K+c-1)/c of a batch
		{"the slowest sets the pace of the pieces", []Service{{"a", 1, 1, 4}, {"b", 4, 1, 4}}, 8, 1, 1.25 + 3},
		{"workers share the pieces", []Service{{"a", 4, 2, 4}}, 8, 1, 1 + 1.5},
		{"more workers than pieces do not help", []Service{{"a", 4, 9, 2}}, 8, 1, 2 + 1},
		{"one core for all", []Service{{"a", 4, 1, 4}, {"b", 4, 1, 4}}, 1, 1, 2 + 6},
		{"half a batch", []Service{{"a", 4, 1, 1}, {"b", 2, 1, 1}}, 8, .5, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := passTime(tt.services, tt.cpus, tt.share); math.Abs(got-tt.want) > 1e-12 {
				t.Errorf("passTime = %g, want %g", got, tt.want)
			}
		})
	}
}

func TestWhatIsLeftOfTheBatchBeforeComesFirst(t *testing.T) {
	after, limit := []Service{{"a", 4, 1, 1}, {"b", 2, 1, 1}}, Service{"map", 20, 2, 1}
	for share, want := range map[float64]float64{1: 6, .5: 3, .1: 5 + .4} {
		if got := drainFormula(after, limit, 8, share); math.Abs(got-want) > 1e-9 {
			t.Errorf("with %g of the last batch: %g, want %g", share, got, want)
		}
	}
}

func TestRoundsEndInTime(t *testing.T) {
	for _, tt := range []struct {
		limit time.Duration
		want  int
	}{{time.Hour, 5}, {-1, 2}} {
		n := 0
		if err := rounds(5, 2, tt.limit, func(i int) error { n++; return nil }); err != nil || n != tt.want {
			t.Errorf("within %s: %d rounds, want %d, error %v", tt.limit, n, tt.want, err)
		}
	}
}

// equalLine is a line of equal stages that runs as the formula says: m batches of one read, a second
// at each stage.
func equalLine(m int64) *line {
	l := &line{result: &pipeline.Result{}, stages: map[string]meter.Snapshot{}, bases: 1}
	l.result.Flight.Left, l.result.Primary = m, m
	for i, name := range []string{meter.NameInflate, meter.NameParse, meter.NameMap, meter.NameOrder, meter.NameWrite} {
		s := meter.Snapshot{Name: name, Workers: 1, CPUNS: m * 1e9, LifetimeNS: m * 1e9, FirstNS: int64(i+1) * 1e9, LastNS: (int64(i) + m) * 1e9}
		l.stages[name] = s
	}
	// map is a hair slower, so that the limit is known
	s := l.stages[meter.NameMap]
	s.CPUNS++
	l.stages[meter.NameMap] = s
	return l
}

func TestFillingOfEqualStagesIsTheKnownFormula(t *testing.T) {
	const k = 5
	for _, m := range []int64{1, 4, 100} {
		got := equalLine(m).filling(nil, 1, 8)
		if got.limit != meter.NameMap {
			t.Fatalf("limit %s, %s", got.limit, got.reason)
		}
		want := float64(m) / float64(k+m-1)
		for _, use := range []float64{got.use, got.formulaUse} {
			if math.Abs(use-want) > 1e-6 {
				t.Errorf("m=%d: utilisation %g, want %g", m, use, want)
			}
		}
		if got.fill != 2 || got.drain != 2 || got.formulaFill != 2 || got.formulaDrain != 2 {
			t.Errorf("m=%d: fill %g by formula %g, drain %g by formula %g, want 2", m, got.fill, got.formulaFill, got.drain, got.formulaDrain)
		}
	}
}

func TestFillingWithoutMeasurementsHasAReason(t *testing.T) {
	if f := fillOf([]*line{{result: &pipeline.Result{}}}, nil, 1, 1); f.Limit != nil || f.LimitReason == "" || f.FillTime != nil || f.FillReason == "" {
		t.Errorf("nothing measured gives %+v", f)
	}
	l := equalLine(3)
	s := l.stages[meter.NameInflate]
	s.CPUNS *= 2
	l.stages[meter.NameInflate] = s
	if f := fillOf([]*line{l}, nil, 1, 1); f.Limit != nil || f.LimitReason == "" {
		t.Errorf("a line that begins with its limit gives %+v", f)
	}
}

func TestSlowDownLeavesCoresToTheOthers(t *testing.T) {
	tests := []struct {
		name                  string
		cpus, mapping, others float64
		threads               int
		factor                float64
	}{
		{"mapping is slow enough", 8, 100, 10, 4, 1},
		{"two cores", 2, 1, 1.5, 1, 2.5},
		{"many cores share it", 8, 1, 1.5, 4, 2.5},
		{"one core", 1, 1, 1, 0, 0},
	}
	for _, tt := range tests {
		l := slowDown(tt.cpus, tt.mapping, tt.others)
		if l.threads != tt.threads || math.Abs(l.factor-tt.factor) > 1e-9 || (l.reason == "") != (tt.threads > 0) {
			t.Errorf("%s: %+v", tt.name, l)
		}
	}
}
