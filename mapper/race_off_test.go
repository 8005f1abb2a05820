//go:build !race

package mapper

func scaled(n int) int { return n }
