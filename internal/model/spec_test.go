package model

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func TestBadInputIsRefusedByKey(t *testing.T) {
	stage := func(more string) string { return `{"stages": [{"service_seconds": 1` + more + `}], "items": 4}` }
	line := func(more string) string { return `{"stages": [{"service_seconds": 1}], "items": 4` + more + `}` }
	tests := []struct{ name, input, want string }{
		{"nothing", " \n", "there is no JSON"},
		{"no object", "[1]", "this is not a JSON object"},
		{"cut short", `{"stages": [`, "line 1: unexpected end"},
		{"a syntax error in line 3", "{\n\"items\": 4,\n}", "line 3: invalid character '}'"},
		{"something behind", line("") + "{}", "line 1: invalid character '{' after top-level value"},
		{"an unknown key", line(`, "stagez": 1`), `there is no key "stagez"; the keys are arrival_seconds, contention`},
		{"an unknown key of a stage", stage(`, "threads": 1`), `stages[0]: there is no key "threads"; the keys are batch, `},
		{"a key in capitals", line(`, "Handoff": "queue"`), `there is no key "Handoff"`},
		{"a key twice", line(`, "items": 5`), `the key "items" is there twice`},
		{"a string for a number", stage(`, "workers": "two"`), "stages[0].workers: string where a whole number is needed"},
		{"a broken number of workers", stage(`, "workers": 1.5`), "stages[0].workers: number 1.5 where a whole number is needed"},
		{"a number for a name", stage(`, "name": 5`), "stages[0].name: number where a string is needed"},
		{"a stage that is no object", `{"stages": [1], "items": 1}`, "stages[0]: this is not a JSON object"},
		{"a stage that is null", `{"stages": [null], "items": 1}`, "stages[0]: this is not a JSON object"},
		{"stages that are no list", `{"stages": {}, "items": 1}`, "stages: object where a list is needed"},
		{"no stages", `{"items": 1}`, "stages: there is none"},
		{"no items", `{"stages": [{"service_seconds": 1}]}`, "items: 0; at least 1 is needed"},
		{"a stage that takes no time", `{"stages": [{}], "items": 1}`, "stages[0]: service_seconds or service_per_item_seconds must be above 0"},
		{"a time that is hardly any", `{"stages": [{"service_seconds": 1e-310}], "items": 1}`, "stages[0]: service_seconds or"},
		{"a negative time", `{"stages": [{"service_seconds": -1}], "items": 1}`, "stages[0].service_seconds: -1; it cannot be less than 0"},
		{"a number too large for any", `{"stages": [{"service_seconds": 1e999}], "items": 1}`, "stages[0].service_seconds: number 1e999"},
		{"no workers", stage(`, "workers": 0`), "stages[0].workers: 0; at least 1 is needed"},
		{"no batch", stage(`, "batch": 0`), "stages[0].batch: 0; at least 1 is needed"},
		{"a negative queue", stage(`, "queue": -1`), "stages[0].queue: -1;"},
		{"a reliability over 1", stage(`, "reliability": 1.1`), "stages[0].reliability: 1.1;"},
		{"negative memory", stage(`, "memory_bytes": -1`), "stages[0].memory_bytes: -1"},
		{"two stages of one name", `{"stages": [{"name": "a", "service_seconds": 1}, {"name": "a", "service_seconds": 1}], "items": 1}`, `stages[1].name: there are two stages "a"`},
		{"an unknown handoff", line(`, "handoff": "pipe"`), `handoff: "pipe"; it can be queue or barrier`},
		{"a negative cap", line(`, "memory_cap_bytes": -1`), "memory_cap_bytes: -1;"},
		{"copies that do not fit", `{"stages": [{"name": "map", "service_seconds": 1, "workers": 4, "memory_bytes": 10}], "items": 1, "memory_cap_bytes": 39}`,
			"stages[0].memory_bytes: map needs 40 bytes for its 4 workers, memory_cap_bytes is 39"},
		{"too much work", `{"stages": [{"service_seconds": 1}], "items": 1000000000}`, "items: 1000000000 in 1 stages; items times stages may be"},
		{"a pair of three", line(`, "dependencies": [[1, 0, 2]]`), "dependencies[0]: 3 numbers;"},
		{"a pair of one", line(`, "dependencies": [[1, 0], [1]]`), "dependencies[1]: 1 numbers;"},
		{"dependencies that are no lists", line(`, "dependencies": [1]`), "dependencies: number where a list is needed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseSpec(strings.NewReader(test.input))
			var bad *InputError
			if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestErrorsThatOnlyTheRunFinds(t *testing.T) {
	spec, err := ParseSpec(strings.NewReader(`{"stages": [{"service_seconds": 1}], "items": 4, "dependencies": [[1, 2], [2, 1]]}`))
	if err != nil {
		t.Fatal(err)
	}
	var bad *InputError
	if _, err := spec.Answer(); !errors.As(err, &bad) || bad.Key != "dependencies" {
		t.Error(err)
	}
}

func TestErrorsOfTheReaderAreItsOwn(t *testing.T) {
	if _, err := ParseSpec(iotest.ErrReader(io.ErrClosedPipe)); err != io.ErrClosedPipe {
		t.Error(err)
	}
}

func TestMoreThanSixteenMebibytesAreRefused(t *testing.T) {
	long := io.LimitReader(blanks{}, maxInput+1)
	if _, err := ParseSpec(long); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
		t.Error(err)
	}
}

type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestWhatIsLeftOutHasItsDefault(t *testing.T) {
	spec, err := ParseSpec(strings.NewReader(`{"stages": [{"service_seconds": 2}, {"service_per_item_seconds": 1, "queue": null}], "items": 3}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := spec.Answer()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "makespan", a.MakespanSeconds, 7, exact)
	near(t, "reliability", a.Reliability, 1, exact)
	s := a.Stages[1]
	if s.Name != "stage 2" || s.Workers != 1 || s.Batch != 1 || s.BestBatch != nil || s.BestBatchReason != "" {
		t.Errorf("%+v", s)
	}
}

func TestAStageSaysWhatItWaitsFor(t *testing.T) {
	spec, err := ParseSpec(strings.NewReader(`{"items": 20, "stages": [{"service_seconds": 1}, {"service_seconds": 9, "queue": 1}, {"service_seconds": 1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := spec.Answer()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"output", "service", "input"} {
		if got := a.Stages[i].Limit; got != want {
			t.Errorf("stage %d: %s, want %s", i+1, got, want)
		}
	}
}

func TestABatchSweepThatIsTooLongIsLeftOutWithAReason(t *testing.T) {
	spec, err := ParseSpec(strings.NewReader(`{"stages": [{"service_seconds": 1, "memory_bytes": 1}], "items": 100000, "memory_cap_bytes": 100000}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := spec.Answer()
	if err != nil {
		t.Fatal(err)
	}
	if s := a.Stages[0]; s.BestBatch != nil || !strings.Contains(s.BestBatchReason, "too many to try") {
		t.Errorf("%+v", s)
	}
}

// FuzzParseSpec asks that any bytes are refused with a key or answered with numbers.
func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{
		`{"stages": [{"name": "a", "service_seconds": 1, "workers": 2, "queue": 1, "batch": 3, "memory_bytes": 1, "reliability": 0.5}, {"service_per_item_seconds": 2}], "items": 9, "memory_cap_bytes": 5, "in_flight": 4, "contention_per_item": 0.1}`,
		`{"stages": [{"service_seconds": 1e9}], "items": 3, "handoff": "barrier", "arrival_seconds": 1e-300, "serial_before_seconds": 1, "serial_after_seconds": 2}`,
		`{"stages": [{"service_seconds": 1, "batch": 4}], "items": 5, "dependencies": [[1, 0], [4, 1]]}`,
		`{"stages": [{"service_seconds": 1, "workers": 1000000}], "items": 5}`, `{"stages": [{`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := ParseSpec(strings.NewReader(string(data)))
		var bad *InputError
		if err != nil {
			if !errors.As(err, &bad) {
				t.Fatalf("%v is no InputError", err)
			}
			return
		}
		if spec.Items*len(spec.Stages) > 2000 {
			return // for the speed of fuzzing
		}
		a, err := spec.Answer()
		if err != nil {
			if !errors.As(err, &bad) {
				t.Fatalf("%v is no InputError", err)
			}
			return
		}
		for _, v := range []float64{a.MakespanSeconds, a.ThroughputPerSecond, a.LatencySeconds, a.Utilisation, a.Bubble, a.CeilingPerSecond, a.MeanInFlight, a.MemoryBytes} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("%+v", a)
			}
		}
	})
}
