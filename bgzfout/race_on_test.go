//go:build race

package bgzfout

const raceEnabled = true
