//go:build race

package mapper

// scaled is how many of n random cases are tried: a share of them where the race detector makes
// each ten times slower. There it is races that are looked for.
func scaled(n int) int { return (n + 7) / 8 }
