package markdup

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

func TestScoreIsTheSumOfGoodQualities(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		qual := make([]byte, rng.IntN([]int{40, 4000}[rng.IntN(2)]))
		want := uint32(0)
		for i := range qual {
			qual[i] = byte(rng.IntN(94))
			if rng.IntN(3000) == 0 {
				qual[i] = 0xff
			}
			if qual[i] >= 15 {
				want += uint32(qual[i])
			}
		}
		if got := score(qual); got != want {
			t.Fatalf("%v: %d, want %d", qual, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	for cigar, want := range map[string][3]int64{
		"10M":              {0, 10, 0},
		"3S7M":             {3, 7, 0},
		"2H3S7M4S1H":       {5, 7, 5},
		"1S2M3I4D5N6=7X8S": {1, 24, 8},
		"5S5I3M":           {5, 3, 0},
		"":                 {0, 1, 0},
	} {
		ops, _ := parseCigar(cigar)
		var b []byte
		for _, op := range ops {
			b = binary.LittleEndian.AppendUint32(b, op)
		}
		lead, span, tail := spans(b)
		if got := [3]int64{lead, span, tail}; got != want {
			t.Errorf("%s: %v, want %v", cigar, got, want)
		}
	}
}

// TestOneSignatureForBothRecords holds the claim that lets one signature stand for a pair: where
// the keys are mirrored, two pairs agree in the key of the one record when they do in the other's.
func TestOneSignatureForBothRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	own, mate := map[pairKey]pairKey{}, map[pairKey]pairKey{}
	for range 200_000 {
		some := func() read {
			start := int64(rng.IntN(6))
			return read{ref: rng.Int32N(2), start: start, end: start + int64(rng.IntN(5)), reverse: rng.IntN(2) == 0}
		}
		a, b := some(), some()
		a.first = true
		ka, kb := keyOf(&a, &b), keyOf(&b, &a)
		if a.reverse == b.reverse || !mirrored(ka, kb) {
			continue
		}
		if kb.tag&leftMost != 0 {
			ka, kb = kb, ka
		}
		if k, ok := own[ka]; ok && k != kb {
			t.Fatalf("%+v goes with %+v and with %+v", ka, k, kb)
		}
		if k, ok := mate[kb]; ok && k != ka {
			t.Fatalf("%+v goes with %+v and with %+v", kb, k, ka)
		}
		own[ka], mate[kb] = kb, ka
	}
	if len(own) < 100 {
		t.Errorf("only %d keys", len(own))
	}
}
