//go:build !nometer

package meter

// Enabled tells whether anything is measured. The build tag nometer compiles it out, to see what
// measuring costs; a run then ends without a verdict.
const Enabled = true
