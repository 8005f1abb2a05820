package bases

import "golang.org/x/sys/cpu"

//go:generate sh -c "cd gen && go run . -out ../letters_amd64.s -stubs ../letters_amd64.go -pkg bases"

// vectors says whether the kernels are used. Tests change it.
var vectors = cpu.X86.HasAVX2
