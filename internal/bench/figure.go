package bench

import (
	"context"
	"encoding/json"
	"math"
	"slices"
)

// Figure is a quantity that was measured several times.
type Figure struct {
	Median  float64 `json:"median"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Repeats int     `json:"repeats"`
}

// figureOf makes a Figure of at least one value.
func figureOf(values []float64) Figure {
	sorted := slices.Sorted(slices.Values(values))
	return Figure{Median: median(sorted), Low: sorted[0], High: sorted[len(sorted)-1], Repeats: len(sorted)}
}

// median takes values in order.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// spread is the larger distance of an end from the median, as a share of it.
func (f Figure) spread() float64 {
	if f.Median == 0 {
		return 0
	}
	return math.Max(f.High-f.Median, f.Median-f.Low) / math.Abs(f.Median)
}

// The units of values, as the names of JSON keys end.
const (
	bytesPerSecond = "bytes_per_second"
	readsPerSecond = "reads_per_second"
	unitSeconds    = "seconds"
)

// Value is a Figure, or the reason why there is none.
type Value struct {
	Unit   string
	Figure *Figure
	Reason string
}

func valueOf(unit string, values []float64) Value {
	if len(values) == 0 {
		return Value{Unit: unit, Reason: "nothing was measured"}
	}
	f := figureOf(values)
	return Value{Unit: unit, Figure: &f}
}

func noValue(unit, reason string) Value { return Value{Unit: unit, Reason: reason} }

// Ceiling is the most of something that this machine does.
type Ceiling struct {
	Name    string
	Streams int // files or threads at once
	Values  []Value
}

// Get returns the median in a unit; ok is false where it is missing.
func (c Ceiling) Get(unit string) (median float64, ok bool) {
	for _, v := range c.Values {
		if v.Unit == unit && v.Figure != nil {
			return v.Figure.Median, true
		}
	}
	return 0, false
}

// MarshalJSON puts the unit into the key: a missing value is null beside its reason.
func (c Ceiling) MarshalJSON() ([]byte, error) {
	m := map[string]any{"name": c.Name, "streams": c.Streams}
	for _, v := range c.Values {
		m[v.Unit] = v.Figure
		if v.Figure == nil {
			m[v.Unit+"_reason"] = v.Reason
		}
	}
	return json.Marshal(m)
}

// ceilings is a list to look things up in.
type ceilings []Ceiling

// find returns the median of the ceiling with this name and number of streams.
func (cs ceilings) find(name string, streams int, unit string) (float64, bool) {
	for _, c := range cs {
		if c.Name == name && c.Streams == streams {
			return c.Get(unit)
		}
	}
	return 0, false
}

// repeat calls measure n times, until ctx ends. measure returns one value per unit.
func repeat(ctx context.Context, n int, measure func() ([]float64, error)) ([][]float64, error) {
	var columns [][]float64
	for range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		row, err := measure()
		if err != nil {
			return nil, err
		}
		if columns == nil {
			columns = make([][]float64, len(row))
		}
		for i, v := range row {
			columns[i] = append(columns[i], v)
		}
	}
	return columns, nil
}
