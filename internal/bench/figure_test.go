package bench

import (
	"encoding/json"
	"math"
	"testing"
)

func TestFigureOf(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		want   Figure
		spread float64
	}{
		{"one value", []float64{4}, Figure{4, 4, 4, 1}, 0},
		{"an odd number, in no order", []float64{5, 1, 4}, Figure{4, 1, 5, 3}, .75},
		{"an even number", []float64{1, 2, 4, 8}, Figure{3, 1, 8, 4}, 5. / 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := figureOf(tt.values)
			if got != tt.want || math.Abs(got.spread()-tt.spread) > 1e-12 {
				t.Errorf("figureOf = %+v, spread %g, want %+v, %g", got, got.spread(), tt.want, tt.spread)
			}
		})
	}
}

func TestCeilingInJSON(t *testing.T) {
	c := Ceiling{Name: nameRead, Streams: 2, Values: []Value{valueOf(bytesPerSecond, []float64{3}), noValue(unitSeconds, "not here")}}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"bytes_per_second":{"median":3,"low":3,"high":3,"repeats":1},"name":"read, cold","seconds":null,"seconds_reason":"not here","streams":2}`
	if string(text) != want {
		t.Errorf("JSON is\n%s, want\n%s", text, want)
	}
	if _, ok := c.Get(unitSeconds); ok {
		t.Error("a missing value was found")
	}
	if v, ok := (ceilings{c}).find(nameRead, 2, bytesPerSecond); !ok || v != 3 {
		t.Errorf("find = %g, %t", v, ok)
	}
	if _, ok := (ceilings{c}).find(nameRead, 1, bytesPerSecond); ok {
		t.Error("another number of streams was found")
	}
}
