package markdup

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// UnknownLibrary is Picard's name for the library of reads without one.
const UnknownLibrary = "Unknown Library"

// columns are those of picard.sam.DuplicationMetrics, in Picard's order.
const columns = "LIBRARY\tUNPAIRED_READS_EXAMINED\tREAD_PAIRS_EXAMINED\tSECONDARY_OR_SUPPLEMENTARY_RDS\tUNMAPPED_READS\t" +
	"UNPAIRED_READ_DUPLICATES\tREAD_PAIR_DUPLICATES\tREAD_PAIR_OPTICAL_DUPLICATES\tPERCENT_DUPLICATION\tESTIMATED_LIBRARY_SIZE"

// coverageBins is how far Picard looks ahead, in multiples of what was sequenced.
const coverageBins = 100

// WritePicard writes the metrics as the file of Picard's MarkDuplicates, which MultiQC reads:
// the metrics and, where the library's size could be estimated, what more sequencing would show.
// program, with its version, stands in the header, and so does the name of the BAM file, of which
// MultiQC makes the sample's name. library may be empty. PERCENT_DUPLICATION is a fraction, as there.
func (m *Metrics) WritePicard(w io.Writer, program, bam, library string) error {
	if library == "" {
		library = UnknownLibrary
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "## htsjdk.samtools.metrics.StringHeader\n# picard.sam.markduplicates.MarkDuplicates INPUT=[%s] (written by %s, not by Picard)\n\n",
		strings.Join(strings.Fields(bam), "_"), program)
	fmt.Fprintf(&b, "## METRICS CLASS\tpicard.sam.DuplicationMetrics\n%s\n", columns)
	fmt.Fprintf(&b, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t", library,
		m.UnpairedReadsExamined, m.ReadPairsExamined, m.SecondaryOrSupplementary, m.UnmappedReads,
		m.UnpairedReadDuplicates, m.ReadPairDuplicates, m.ReadPairOpticalDups, decimal(m.DuplicateFraction))
	if m.EstimatedLibrarySize != nil {
		fmt.Fprint(&b, *m.EstimatedLibrarySize)
	}
	b.WriteString("\n\n")
	if m.EstimatedLibrarySize != nil {
		b.WriteString("## HISTOGRAM\tjava.lang.Double\nBIN\tCoverageMult\n")
		for x := 1; x <= coverageBins; x++ {
			fmt.Fprintf(&b, "%d.0\t%s\n", x, decimal(m.coverage(float64(x))))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// decimal has six digits behind the point at most, and none that are zero at the end.
func decimal(x float64) string {
	return strconv.FormatFloat(math.RoundToEven(x*1e6)/1e6, 'f', -1, 64)
}
