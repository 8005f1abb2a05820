//go:build !amd64

package deflate

// write writes the items; see writeScalar.
func (t *codeTable) write(w *bitWriter, items []item) { t.writeScalar(w, items) }
