// Package inflate turns a byte stream that is plain, gzip or BGZF into chunks of plain bytes.
//
// Call [Open], then [Stream.Next] until io.EOF, releasing each chunk, then [Stream.Close].
//
//	device goroutine ──raw──> inflate goroutine ──chunks──> Next        plain, and gzip on few cores
//	device goroutine ──raw──> splitter ──chunks, in order──> Next       BGZF
//	                             └──work──> Workers goroutines
//
// One long gzip stream is decoded on several goroutines too, when there are four workers or more:
// a scout cuts it into pieces, workers guess where in their piece a block begins and decode from
// there to symbols that may stand for bytes not known yet, and where a piece's result begins just
// where the one before ended, the inflate goroutine takes it over. ahead.go has the goroutines,
// find.go the search, guess.go and marker_fast.go the decoder, jump.go the taking over. Data,
// errors and their offsets are those of decoding alone, since whatever is not met exactly, and
// every piece of data that is odd, is left to the decoder that works alone.
//
// What decodes DEFLATE is behind memberReader and blockReader: deflate.go with its tables and
// its fast loop, or another library's decoder, with the tag klauspost_inflate and on machines
// other than amd64 and arm64.
//
// io.EOF means that the input was whole: every gzip member had its CRC-32 and length, nothing
// followed the last member, and a file in BGZF ended with the end-of-file block. Whatever else
// the data does is a [*DataError]. Errors of the device itself come back as they are, wrapped.
package inflate
