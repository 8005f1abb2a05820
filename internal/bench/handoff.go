package bench

// Handoff says how stages give their work to the next one in the comparison.
type Handoff string

// The handoffs.
const (
	HandoffBoth    Handoff = "both"
	HandoffQueue   Handoff = "queue"
	HandoffBarrier Handoff = "barrier"
)
