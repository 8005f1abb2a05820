package pipeline

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads an amount of memory in bytes: a number, decimals allowed, and an
// optional unit K, M, G or T (powers of 1024), as in 512M, 1.5G or 4GiB.
func ParseSize(s string) (int64, error) {
	text := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(s)), "B"), "I")
	unit := 1.0
	if n := len(text); n > 0 {
		if at := strings.IndexByte("KMGT", text[n-1]); at >= 0 {
			unit, text = math.Pow(1024, float64(at+1)), text[:n-1]
		}
	}
	if strings.Trim(text, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is not a size such as 512M or 1.5G", s)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v <= 0 || v*unit >= 1<<62 {
		return 0, fmt.Errorf("%q is not a size such as 512M or 1.5G", s)
	}
	return int64(v * unit), nil
}

// FormatSize writes bytes the way ParseSize reads them, rounded up to whole MiB above 1 MiB.
func FormatSize(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%.1fG", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%dM", (n+1<<20-1)>>20)
	default:
		return strconv.FormatInt(n, 10)
	}
}
