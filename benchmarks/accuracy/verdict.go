package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// sure is the MAPQ from which a placement counts as one to rely on.
const sure = 20

// tally sums up what one tool did with the reads of a set.
type tally struct {
	reads, right  int
	onlyRight     int // right here, not right with the other tool
	decided       int // the ones of them at MAPQ 1 or above: no coin was flipped between copies
	sure, mistake int // placed at MAPQ 20 or above; the wrong ones of them
}

func (t *tally) add(mine, other outcome) {
	t.reads++
	if mine.Class == right {
		t.right++
		if other.Class != right {
			t.onlyRight++
			if mine.MapQ > 0 {
				t.decided++
			}
		}
	}
	if mine.placedAt(sure) {
		t.sure++
		if mine.Class == wrong {
			t.mistake++
		}
	}
}

// addAll adds a seed to the tallies of both tools.
func addAll(ours, theirs *tally, a, b outcomes) {
	for i := range a {
		ours.add(a[i], b[i])
		theirs.add(b[i], a[i])
	}
}

// faults lists the conditions that ours does not meet beside theirs:
//
//	right   not below by more than 0.01 points
//	placed  at MAPQ 20 or above, not below by more than 0.05 points
//	errors  among these, not above by more than 10 % or 20 reads, whichever is larger
//
// z is how many standard deviations ours is ahead, if each read that only one tool has right
// were a coin flip. Mates fall together, and so it is up to 1.4 times too far from 0.
func faults(ours, theirs tally) []string {
	var found []string
	if short := theirs.right - ours.right; 10_000*short > ours.reads {
		z := -float64(short) / math.Sqrt(float64(ours.onlyRight+theirs.onlyRight))
		found = append(found, fmt.Sprintf("right %+.4f (z %.1f)", -points(short, ours.reads), z))
	}
	if short := theirs.sure - ours.sure; 2_000*short > ours.reads {
		found = append(found, fmt.Sprintf("placed %+.4f", -points(short, ours.reads)))
	}
	if more := ours.mistake - theirs.mistake; 10*more > max(theirs.mistake, 200) {
		found = append(found, fmt.Sprintf("errors %+d", more))
	}
	return found
}

func points(n, of int) float64 { return 100 * float64(n) / float64(max(1, of)) }

func writeTableHead(w io.Writer) error {
	_, err := fmt.Fprint(w, "| set | tool | reads | right % | only it right (MAPQ>0) | MAPQ>=20 % | errors | verdict |\n|---|---|--:|--:|--:|--:|--:|---|\n")
	return err
}

// writeRows writes the two rows of a set.
func writeRows(w io.Writer, set, ourLabel, theirLabel string, ours, theirs tally) error {
	verdict := "PASS"
	if found := faults(ours, theirs); found != nil {
		verdict = "FAIL: " + strings.Join(found, ", ")
	}
	if err := writeRow(w, set, theirLabel, theirs, ""); err != nil {
		return err
	}
	return writeRow(w, set, ourLabel, ours, verdict)
}

func writeRow(w io.Writer, set, label string, t tally, verdict string) error {
	_, err := fmt.Fprintf(w, "| %s | %s | %d | %.4f | %d (%d) | %.4f | %d | %s |\n", set, label, t.reads,
		points(t.right, t.reads), t.onlyRight, t.decided, points(t.sure, t.reads), t.mistake, verdict)
	return err
}
