package truth

import (
	"strings"
	"testing"

	"github.com/biogo/hts/sam"
)

func TestRightNeedsATenthOfTheUnion(t *testing.T) {
	want := Span{Ref: 0, Start: 100, End: 200}
	for _, c := range []struct {
		name string
		got  Span
		ok   bool
	}{
		{"the same span", Span{Ref: 0, Start: 100, End: 200}, true},
		{"a clipped read inside", Span{Ref: 0, Start: 130, End: 140}, true},
		{"one base less than a tenth", Span{Ref: 0, Start: 130, End: 139}, false},
		{"overlap of a tenth of the union", Span{Ref: 0, Start: 180, End: 300}, true},
		{"overlap a little below it", Span{Ref: 0, Start: 181, End: 300}, false},
		{"touching", Span{Ref: 0, Start: 200, End: 300}, false},
		{"another reference", Span{Ref: 1, Start: 100, End: 200}, false},
	} {
		if got := Right(want, c.got); got != c.ok {
			t.Errorf("%s: Right = %v, want %v", c.name, got, c.ok)
		}
	}
}

func TestPrimaryRecordsHaveSpansNamesAndMates(t *testing.T) {
	text := strings.ReplaceAll("@SQ SN:a LN:1000\n@SQ SN:b LN:1000\n"+
		"r1/1 99 b 11 60 2S3M1I4M2D1M = 31 0 * *\n"+
		"r1/1 355 a 11 60 10M = 31 0 * *\n"+ // secondary
		"r1/1 2147 a 11 60 10M = 31 0 * *\n"+ // supplementary
		"r1/2 147 b 31 60 10M = 11 0 * *\n", " ", "\t")
	refs := Refs{"a": 0, "b": 1}
	type seen struct {
		name string
		mate int
		span Span
	}
	var got []seen
	err := EachPrimarySAM(strings.NewReader(text), func(rec *sam.Record) error {
		got = append(got, seen{BaseName(rec.Name), Mate(rec), refs.SpanOf(rec)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []seen{{"r1", 0, Span{1, 10, 20}}, {"r1", 1, Span{1, 30, 40}}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}
