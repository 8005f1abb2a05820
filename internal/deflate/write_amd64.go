package deflate

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate sh -c "cd gen && go run . -out ../kernel_amd64.s -stubs ../kernel_amd64.go -pkg deflate"

// hasKernel says whether this CPU has what writeBMI2 needs. Tests change it.
var hasKernel = cpu.X86.HasBMI2

// write writes the items; see writeScalar.
func (t *codeTable) write(w *bitWriter, items []item) {
	if hasKernel && len(items) >= 2 {
		n, hold, held := writeBMI2(unsafe.SliceData(w.out[w.at:]), &items[0], len(items)/2, &t[0], w.hold, uint64(w.held))
		w.at, w.hold, w.held = w.at+n, hold, uint(held)
		items = items[len(items)&^1:]
	}
	t.writeScalar(w, items)
}
