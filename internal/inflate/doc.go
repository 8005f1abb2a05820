// Package inflate turns a byte stream that is plain, gzip or BGZF into chunks of plain bytes.
//
// Call [Open], then [Stream.Next] until io.EOF, releasing each chunk, then [Stream.Close].
//
//	device goroutine ──raw──> inflate goroutine ──chunks──> Next        plain and gzip
//	device goroutine ──raw──> splitter ──chunks, in order──> Next       BGZF
//	                             └──work──> Workers goroutines
//
// io.EOF means that the input was whole: every gzip member had its CRC-32 and length, nothing
// followed the last member, and a file in BGZF ended with the end-of-file block. Whatever else
// the data does is a [*DataError]. Errors of the device itself come back as they are, wrapped.
//
// gzip.go and bgzf.go find the members and blocks, member.go reads a header and a trailer, flate.go
// decodes DEFLATE, with the tables of huffman.go.
package inflate
