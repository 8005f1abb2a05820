package main

import (
	"fmt"
	"strings"

	"github.com/biogo/hts/sam"
)

// A span is where a read truly lies: 0-based, half-open, on a reference numbered by eval.refs.
type span struct {
	ref, start, end int32
	known, seen     bool
}

// tally counts the placed reads of one mapping quality.
type tally struct{ right, wrong int }

// eval holds the truth by read name, and the score so far.
type eval struct {
	single bool
	refs   map[string]int32
	truth  map[string]*[2]span // second mates are at 1, everything else at 0

	reads, right, wrong, unmapped int
	doubled, alien                int
	byMapQ                        [256]tally
}

func newEval(single bool) *eval {
	return &eval{single: single, refs: map[string]int32{}, truth: map[string]*[2]span{}}
}

// learn takes one record of the truth.
func (e *eval) learn(rec *sam.Record) {
	e.learnSpan(rec.Name, mateOf(rec), e.spanOf(rec))
}

// learnRow takes one row of a table of truth.
func (e *eval) learnRow(r row) {
	ref := e.refID(r.ref)
	for mate, at := range r.mates {
		e.learnSpan(r.name, mate, span{ref: ref, start: at[0], end: at[1], known: true})
	}
}

func (e *eval) learnSpan(name string, mate int, at span) {
	if e.single && mate == 1 {
		return
	}
	name = baseName(name)
	mates := e.truth[name]
	if mates == nil {
		mates = new([2]span)
		e.truth[name] = mates
	}
	if !mates[mate].known {
		e.reads++
	}
	mates[mate] = at
}

// score takes one primary record of the output.
func (e *eval) score(rec *sam.Record) {
	mates := e.truth[baseName(rec.Name)]
	if mates == nil || !mates[mateOf(rec)].known {
		e.alien++
		return
	}
	want := &mates[mateOf(rec)]
	if want.seen {
		e.doubled++
		return
	}
	want.seen = true
	switch {
	case rec.Flags&sam.Unmapped != 0:
		e.unmapped++
	case right(*want, e.spanOf(rec)):
		e.right++
		e.byMapQ[rec.MapQ].right++
	default:
		e.wrong++
		e.byMapQ[rec.MapQ].wrong++
	}
}

// right reports whether got lies on the true reference and the overlap of the two spans is
// at least a tenth of their union. Clipped ends and indels so cost nothing; another copy of
// a repeat does.
func right(want, got span) bool {
	overlap := min(want.end, got.end) - max(want.start, got.start)
	union := max(want.end, got.end) - min(want.start, got.start)
	return want.ref == got.ref && overlap > 0 && 10*int64(overlap) >= int64(union)
}

func (e *eval) spanOf(rec *sam.Record) span {
	bases := int32(0)
	for _, op := range rec.Cigar {
		bases += int32(op.Len() * op.Type().Consumes().Reference)
	}
	start := int32(rec.Pos)
	return span{ref: e.refID(rec.Ref.Name()), start: start, end: start + bases, known: true}
}

// refID numbers references by name, since two files need not list them in one order.
func (e *eval) refID(name string) int32 {
	id, ok := e.refs[name]
	if !ok {
		id = int32(len(e.refs))
		e.refs[name] = id
	}
	return id
}

// String is the row of numbers. An error rate is of the reads placed at that quality or above.
func (e *eval) String() string {
	pct := func(n int) float64 { return 100 * float64(n) / float64(max(1, e.reads)) }
	missing := e.reads - e.right - e.wrong - e.unmapped
	var b strings.Builder
	fmt.Fprintf(&b, "reads=%d right=%.4f%% wrong=%.4f%% unmapped=%.4f%% missing=%d doubled=%d alien=%d",
		e.reads, pct(e.right), pct(e.wrong), pct(e.unmapped), missing, e.doubled, e.alien)
	for _, least := range []int{1, 10, 20, 30} {
		t := e.atLeast(least)
		placed := t.right + t.wrong
		fmt.Fprintf(&b, " q%d:%.3f%%/err%.2e", least, pct(placed), float64(t.wrong)/float64(max(1, placed)))
	}
	return b.String()
}

func (e *eval) atLeast(mapQ int) (sum tally) {
	for _, t := range e.byMapQ[mapQ:] {
		sum.right += t.right
		sum.wrong += t.wrong
	}
	return sum
}

func mateOf(rec *sam.Record) int {
	if rec.Flags&sam.Read2 != 0 {
		return 1
	}
	return 0
}

// baseName cuts the /1 or /2 that some aligners leave on.
func baseName(name string) string {
	if n := len(name) - 2; n > 0 && (name[n:] == "/1" || name[n:] == "/2") {
		return name[:n]
	}
	return name
}
