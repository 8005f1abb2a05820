//go:build klauspost_inflate || !(amd64 || arm64)

package inflate

import "github.com/klauspost/compress/flate"

// newOracleReader is the same decoder without what this package puts around it: it takes some
// code words of incomplete codes that the standard library refuses.
var newOracleReader = flate.NewReader
