#!/usr/bin/env bash
# Compares our compression of a BAM with that of samtools and bgzip (htslib, with libdeflate where it has it).
#
#   benchmarks/deflate/peers.sh BAM [LEVELS, "1 6"] [ROUNDS, 5]
#
# BAM had best hold 100 to 300 MB without compression. Each round runs, on one thread, samtools view and bgzip at each level on a
# copy without compression, and then ours on the same bytes. What samtools takes to write level 0, and bgzip to write level 0, is
# taken off: the rest is compression alone. The table has medians of the rounds: MB/s of CPU, bytes, and both against samtools.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }
bam=$1 levels=${2:-1 6} rounds=${3:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$here" && go build -o "$work/deflate" .)
samtools view -@0 -u -o "$work/plain.bam" "$bam"
bgzip -dc <"$work/plain.bam" >"$work/plain"
bytes=$(stat -c %s "$work/plain")

# cpu COMMAND... prints its user and system seconds; its output goes to $work/out.
cpu() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >"$work/out" 2>"$work/err"; } 2>"$work/time" || { cat "$work/err" >&2; exit 1; }
	awk '{ print $1 + $2 }' "$work/time"
}

samtools_at() { cpu samtools view -@0 --no-PG --output-fmt "bam,level=$1" "$work/plain.bam"; }
bgzip_at() { cpu bgzip -@1 -c -l "$1" "$work/plain"; }

for ((round = 0; round < rounds; round++)); do
	for tool in samtools bgzip; do
		base=$("${tool}_at" 0)
		for level in $levels; do
			seconds=$("${tool}_at" "$level")
			echo "$tool $level $(awk -v a="$seconds" -v b="$base" 'BEGIN { print a - b }') $bytes $(stat -c %s "$work/out")"
		done
	done
	"$work/deflate" -rows -rounds 1 -mb $((bytes / 1000000 + 1)) -encoders own -levels "${levels// /,}" "$work/plain.bam"
done | tr '\t' ' ' >"$work/rows"

sort -k1,1 -k2,2n -k3,3g "$work/rows" | awk '
	{ key = $1 " " $2; n[key]++; s[key, n[key]] = $3; plain = $4; size[key] = $5; if (n[key] == 1) keys[++k] = key }
	END {
		printf "%-10s %5s %6s %12s %14s %12s\n", "encoder", "level", "MB/s", "bytes", "speed/samtools", "size/samtools"
		for (i = 1; i <= k; i++) {
			split(keys[i], part, " ")
			peer = "samtools " part[2]
			mid[i] = s[keys[i], int((n[keys[i]] + 1) / 2)]
			other = s[peer, int((n[peer] + 1) / 2)]
			printf "%-10s %5d %6.0f %12d %14.2f %12.3f\n", part[1], part[2], plain / 1e6 / mid[i], size[keys[i]],
				other / mid[i], size[keys[i]] / size[peer]
		}
	}'
