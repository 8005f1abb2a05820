package reader

import "github.com/alignpipe/alignpipe/internal/meter"

// Read is one read. Its slices are views into the memory of its batch and end with it.
type Read struct {
	Name    []byte // up to the first blank, without /1 or /2
	Comment []byte // what follows the blank; only with Config.Comments
	Seq     []byte // upper case
	Qual    []byte // ASCII, Phred+33, as long as Seq
}

// Batch is a run of consecutive reads. It belongs to whoever took it from the queue.
type Batch struct {
	Ordinal int64  // of the batch, from 0
	First   int64  // template ordinal of Reads[0], from 0
	Reads   []Read // paired: first and second mates in turn
	Paired  bool
	Bases   int // of all reads

	data  []byte
	spans []span
	limit limits
	free  chan *Batch

	flight    *meter.Flight // from free to Release; may be nil
	enteredNS int64
}

// span is one read in data: name, comment, sequence and quality follow each other.
type span struct {
	at      int
	comment int32
	seq     int32 // of quality too
	name    uint8
}

// limits say when a batch is full; a larger batch costs memory and gains nothing.
type limits struct {
	bases     int
	templates int
	bytes     int
}

const (
	// bytesPerBase bounds what a batch holds beside its bases: qualities, names, comments.
	bytesPerBase = 4
	// basesPerTemplate is the length from which on a batch's templates are bounded by its
	// bases; for shorter ones their number is, so that empty reads cannot fill the memory.
	basesPerTemplate = 32
)

func limitsOf(batchBases int) limits {
	return limits{
		bases:     batchBases,
		templates: max(batchBases/basesPerTemplate, 1),
		bytes:     batchBases * bytesPerBase,
	}
}

// Release gives the batch back to its reader. Its slices die here. It never blocks.
func (b *Batch) Release() {
	clear(b.Reads)
	b.Reads, b.spans, b.Bases = b.Reads[:0], b.spans[:0], 0
	b.data = b.data[:0]
	if cap(b.data) > 2*b.limit.bytes { // one enormous read must not be paid for for ever
		b.data = nil
	}
	b.flight.Leave(b.enteredNS)
	b.free <- b // cap(free) is the number of batches that exist
}

// Templates is the number of pairs, or of reads where they are single.
func (b *Batch) Templates() int {
	if b.Paired {
		return len(b.Reads) / 2
	}
	return len(b.Reads)
}

// full tells whether the batch takes no more templates.
func (b *Batch) full() bool {
	n := len(b.spans)
	if b.Paired {
		n /= 2
	}
	return b.Bases >= b.limit.bases || n >= b.limit.templates || len(b.data) >= b.limit.bytes
}

// extend makes room for n more bytes of data and returns them.
func (b *Batch) extend(n int) []byte {
	at := len(b.data)
	if cap(b.data)-at < n {
		size := max(2*cap(b.data), at+n, 64<<10)
		if at+n <= b.limit.bytes {
			size = min(size, b.limit.bytes)
		}
		b.data = append(make([]byte, 0, size), b.data...)
	}
	b.data = b.data[:at+n]
	return b.data[at:]
}

// view makes the read of a span.
func (b *Batch) view(s span) Read {
	name := s.at + int(s.name)
	comment := name + int(s.comment)
	seq := comment + int(s.seq)
	qual := seq + int(s.seq)
	return Read{
		Name:    b.data[s.at:name:name],
		Comment: b.data[name:comment:comment],
		Seq:     b.data[comment:seq:seq],
		Qual:    b.data[seq:qual:qual],
	}
}

// seal makes Reads from the spans; data does not move from here on.
func (b *Batch) seal() {
	for _, s := range b.spans {
		b.Reads = append(b.Reads, b.view(s))
	}
}
