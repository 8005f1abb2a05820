//go:build !race

package bgzfout

const raceEnabled = false
