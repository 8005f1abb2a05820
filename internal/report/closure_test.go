package report

import (
	"testing"

	"github.com/alignpipe/alignpipe/internal/meter"
)

func TestStatesResidual(t *testing.T) {
	const ms = 1_000_000
	stage := func(kind meter.Kind, lifetime, cpu, wait int64) meter.Snapshot {
		s := meter.Snapshot{Kind: kind, LifetimeNS: lifetime * ms, CPUNS: cpu * ms}
		s.WaitNS[meter.WaitIn] = wait * ms
		return s
	}
	tests := []struct {
		name  string
		stage meter.Snapshot
		want  float64
	}{
		{"never entered", stage(meter.KindCPU, 0, 0, 0), 0},
		{"busy and waiting", stage(meter.KindCPU, 1000, 400, 600), 0},
		{"wake-ups in a short run", stage(meter.KindCPU, 50, 11, 40), 0},
		{"CPU time beside waits", stage(meter.KindCPU, 1000, 410, 600), 0.01},
		{"waits beyond the lifetime", stage(meter.KindDeviceRead, 1000, 0, 1020), 0.02},
	}
	for _, tt := range tests {
		if got := statesResidual(tt.stage); got != tt.want {
			t.Errorf("%s: %g, want %g", tt.name, got, tt.want)
		}
	}
}
