// Package inflate turns a byte stream that is plain, gzip or BGZF into chunks of plain bytes.
//
// Call [Open], then [Stream.Next] until io.EOF, releasing each chunk, then [Stream.Close].
//
//	device goroutine ──raw──> inflate goroutine ──chunks──> Next        plain and gzip
//	device goroutine ──raw──> splitter ──chunks, in order──> Next       BGZF
//	                             └──work──> Workers goroutines
//
// What decodes DEFLATE is behind memberReader and blockReader: deflate.go with its tables and
// its fast loop, or another library's decoder, with the tag klauspost_inflate and on machines
// other than amd64 and arm64.
//
// io.EOF means that the input was whole: every gzip member had its CRC-32 and length, nothing
// followed the last member, and a file in BGZF ended with the end-of-file block. Whatever else
// the data does is a [*DataError]. Errors of the device itself come back as they are, wrapped.
package inflate
