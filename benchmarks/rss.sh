#!/usr/bin/env bash
# Holds the resident memory of `alignpipe align` against its -m, from just above the least it takes, and prints a table.
#
#   benchmarks/rss.sh REF READS_1 [READS_2] [--threads "1 2 8"] [--above 64] [--times "2 4"] [--tmpdir DIR] [--alignpipe PROGRAM]
#                     [-- FLAGS OF ALIGN]
#
# For each number of threads -m is the least, which the program says when asked to do with too little, and --above MiB; then the
# least times each of --times; then what it is without -m. The output is a BAM in DIR, which is removed.
#
#   peak      of the process, in MiB: as the report has it (memory.peak_bytes: VmHWM) and as the kernel tells its parent (time %M)
#   share     the larger of them, of -m
#   runs      files that were spilled
#
# Fails when a peak is above its -m, or a run fails. With a FASTA file for REF the index is built, and counted, in each run.
# Needs /usr/bin/time, and Go unless --alignpipe is given.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }
die() { echo "rss: error: $*" >&2; exit 1; }

inputs=() threads='1 2 8' above=64 times='2 4' tmpdir=${TMPDIR:-/tmp} program='' flags=()
while [ $# -gt 0 ]; do
	case $1 in
	--) shift && flags=("$@") && break ;;
	--*) [ $# -ge 2 ] || usage ;;
	*) inputs+=("$(realpath "$1")") && shift && continue ;;
	esac
	case $1 in
	--threads) threads=$2 ;;
	--above) above=$2 ;;
	--times) times=$2 ;;
	--tmpdir) tmpdir=$2 ;;
	--alignpipe) program=$(realpath "$2") ;;
	*) usage ;;
	esac
	shift 2
done
case ${#inputs[@]} in 2 | 3) ;; *) usage ;; esac

work=$(mktemp -d -p "$tmpdir")
trap 'rm -rf "$work"' EXIT
if [ -z "$program" ]; then
	program=$work/alignpipe
	(cd "$here/.." && go build -buildvcs=false -o "$program" ./cmd/alignpipe)
fi

# align THREADS [-m SIZE] runs it, and leaves report, time and log in the work folder.
align() {
	local t=$1
	shift
	rm -f "$work"/out.bam*
	/usr/bin/time -q -o "$work/time" -f %M "$program" align -q -t "$t" "$@" -T "$work" --report "$work/report.json" "${flags[@]}" \
		-o "$work/out.bam" "${inputs[@]}" >"$work/log" 2>&1
}

# least THREADS is the least -m in MiB, rounded up.
least() {
	! align "$1" -m 1M || die "1 MiB was enough"
	sed -n 's/.*the least is \([0-9.]*\)\([MG]\)$/\1 \2/p' "$work/log" | awk '{ n = $1 * ($2 == "G" ? 1024 : 1); print int(n) + (n > int(n)) }'
}

# number NAME is that of the report's object "memory" or "sort".
number() { sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$work/report.json" | sed 1q; }

failed=
# measure THREADS WHAT [-m SIZE] prints a row.
measure() {
	local t=$1 what=$2 limit peak told
	shift 2
	if ! align "$t" "$@"; then
		cat "$work/log" >&2
		echo "| $t | $what | ${2:-} | failed | | | |"
		failed=yes
		return
	fi
	limit=$(number limit_bytes) peak=$(number peak_bytes) told=$(($(tail -1 "$work/time") * 1024))
	[ -n "$limit" ] || die "no memory in the report"
	[ "$peak" -le "$limit" ] && [ "$told" -le "$limit" ] || failed=yes
	awk -v t="$t" -v what="$what" -v limit="$limit" -v peak="$peak" -v told="$told" -v runs="$(number spilled_runs)" 'BEGIN {
		most = peak > told ? peak : told
		printf "| %d | %s | %.0f | %.0f | %.0f | %.1f %%%s | %d |\n", t, what, limit / 1048576, peak / 1048576, told / 1048576,
			100 * most / limit, (most > limit ? ", above" : ""), runs }'
}

echo "| threads | -m | MiB | peak, report | peak, kernel | share | runs |"
echo "|--:|---|--:|--:|--:|--:|--:|"
for t in $threads; do
	n=$(least "$t")
	[ -n "$n" ] || { cat "$work/log" >&2; die "it does not say the least -m"; }
	measure "$t" "least + $above" -m $((n + above))M
	for factor in $times; do
		measure "$t" "least x $factor" -m "$(awk -v n="$n" -v f="$factor" 'BEGIN { printf "%d", n * f }')M"
	done
	measure "$t" "default"
done
[ -z "$failed" ] || die "more memory than -m, or a run that failed"
