package main

import (
	"fmt"
	"strings"

	"github.com/biogo/hts/sam"

	"github.com/alignpipe/alignpipe/benchmarks/internal/truth"
)

// A read is where a read truly lies, and whether the output has had it.
type read struct {
	truth.Span
	known, seen bool
}

// tally counts the placed reads of one mapping quality.
type tally struct{ right, wrong int }

// eval holds the truth by read name, and the score so far.
type eval struct {
	single bool
	refs   truth.Refs
	truth  map[string]*[2]read // second mates are at 1, everything else at 0

	reads, right, wrong, unmapped int
	doubled, alien                int
	byMapQ                        [256]tally
}

func newEval(single bool) *eval {
	return &eval{single: single, refs: truth.Refs{}, truth: map[string]*[2]read{}}
}

// learn takes one record of the truth.
func (e *eval) learn(rec *sam.Record) error {
	e.learnSpan(rec.Name, truth.Mate(rec), e.refs.SpanOf(rec))
	return nil
}

// learnRow takes one row of a table of truth.
func (e *eval) learnRow(r row) {
	ref := e.refs.ID(r.ref)
	for mate, at := range r.mates {
		e.learnSpan(r.name, mate, truth.Span{Ref: ref, Start: at[0], End: at[1]})
	}
}

func (e *eval) learnSpan(name string, mate int, at truth.Span) {
	if e.single && mate == 1 {
		return
	}
	name = truth.BaseName(name)
	mates := e.truth[name]
	if mates == nil {
		mates = new([2]read)
		e.truth[name] = mates
	}
	r := &mates[mate]
	if !r.known {
		e.reads++
	}
	*r = read{Span: at, known: true}
}

// score takes one primary record of the output.
func (e *eval) score(rec *sam.Record) error {
	mates := e.truth[truth.BaseName(rec.Name)]
	if mates == nil || !mates[truth.Mate(rec)].known {
		e.alien++
		return nil
	}
	want := &mates[truth.Mate(rec)]
	if want.seen {
		e.doubled++
		return nil
	}
	want.seen = true
	switch {
	case rec.Flags&sam.Unmapped != 0:
		e.unmapped++
	case truth.Right(want.Span, e.refs.SpanOf(rec)):
		e.right++
		e.byMapQ[rec.MapQ].right++
	default:
		e.wrong++
		e.byMapQ[rec.MapQ].wrong++
	}
	return nil
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
