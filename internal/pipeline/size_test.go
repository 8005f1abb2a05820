package pipeline

import "testing"

func TestParseSize(t *testing.T) {
	tests := []struct {
		text string
		want int64 // 0: refused
	}{
		{"1", 1}, {"512M", 512 << 20}, {"1.5G", 3 << 29}, {"4g", 4 << 30}, {"2GiB", 2 << 30}, {"2GB", 2 << 30}, {"0.5K", 512}, {"1T", 1 << 40},
		{"", 0}, {"0", 0}, {"-1G", 0}, {"G", 0}, {"1.2.3", 0}, {"1e9", 0}, {"Inf", 0}, {"9999999T", 0}, {"1 G", 0},
	}
	for _, tt := range tests {
		got, err := ParseSize(tt.text)
		if got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", tt.text, got, err, tt.want)
		}
	}
}
