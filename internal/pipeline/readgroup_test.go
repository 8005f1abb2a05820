package pipeline

import "testing"

func TestParseReadGroup(t *testing.T) {
	tests := []struct {
		name, line, id string // id empty: refused
	}{
		{"written tabs", `@RG\tID:s1\tSM:x`, "s1"},
		{"real tabs", "@RG\tID:s1\tSM:x y", "s1"},
		{"ID need not come first", `@RG\tSM:x\tID:s2`, "s2"},
		{"no @RG", `ID:s1\tSM:x`, ""},
		{"no ID", `@RG\tSM:x`, ""},
		{"empty ID", `@RG\tID:\tSM:x`, ""},
		{"twice the same tag", `@RG\tID:a\tID:b`, ""},
		{"no tag", `@RG\tID:a\tfoo`, ""},
		{"a line end would add a header line", "@RG\tID:a\n@CO\tx", ""},
		{"another header", `@RGX\tID:a`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rg, err := ParseReadGroup(tt.line)
			if rg.ID != tt.id || (err == nil) != (tt.id != "") {
				t.Errorf("ParseReadGroup = %+v, %v, want ID %q", rg, err, tt.id)
			}
			if err != nil && ExitCode(err) != ExitMisuse {
				t.Errorf("exit code %d, want misuse", ExitCode(err))
			}
		})
	}
}
