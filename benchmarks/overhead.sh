#!/usr/bin/env bash
# Measures what measuring costs: the program as it is against one without any of it (build tag nometer).
#
#   benchmarks/overhead.sh REF READS_1 [READS_2] [--pairs 30] [--result FILE] [-- FLAGS OF ALIGN]
#
# Both run in turn, every other pair the other way round, and write a BAM that is thrown away. Of each pair the ratio of CPU
# seconds (user and system) less 1 is the cost. The table has the mean over the pairs and the bounds between which it lies with 95 % (Student's t).
# FILE is benchmarks/results/overhead.md unless named; - is the terminal. Give it a quiet machine. Needs Go and /usr/bin/time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }

inputs=() pairs=30 result=$here/results/overhead.md flags=()
while [ $# -gt 0 ]; do
	case $1 in
	--) shift && flags=("$@") && break ;;
	--pairs) pairs=$2 && shift 2 ;;
	--result) result=$2 && shift 2 ;;
	-*) usage ;;
	*) inputs+=("$(realpath "$1")") && shift ;;
	esac
done
[ ${#inputs[@]} -ge 2 ] && [ "$pairs" -ge 5 ] || usage

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/.." && CGO_ENABLED=0 go build -o "$work/with" ./cmd/alignpipe &&
	CGO_ENABLED=0 go build -tags nometer -o "$work/without" ./cmd/alignpipe)

# run WHICH prints the CPU seconds of one run.
run() {
	/usr/bin/time -f '%U %S' -o "$work/time" "$work/$1" align -q "${flags[@]}" -o "$work/out.bam" "${inputs[@]}"
	awk '{print $1 + $2}' "$work/time"
}

run with >/dev/null && run without >/dev/null # the page cache is warm, the index read
cmp -s "$work/out.bam" <("$work/with" align -q "${flags[@]}" -o - "${inputs[@]}") || { echo "overhead: error: the outputs differ" >&2; exit 1; }
for ((i = 0; i < pairs; i++)); do
	if ((i % 2)); then
		b=$(run without) a=$(run with)
	else
		a=$(run with) b=$(run without)
	fi
	echo "$a $b"
done >"$work/pairs"

table() {
	printf '\n## %s, commit %s\n\n' "$(date -u '+%F %H:%M UTC')" "$(git -C "$here" describe --always --dirty)"
	printf '%s; %s.\n' "$(basename "${inputs[0]}") with $(printf '%s ' "${inputs[@]:1}" | xargs -n1 basename | paste -sd' ')" "${flags[*]:-no flags}"
	printf '%s, %s CPUs, Linux %s, %s.\n\n' "$(awk -F': ' '/model name/{print $2; exit}' /proc/cpuinfo)" "$(nproc)" "$(uname -r)" "$(go env GOVERSION)"
	awk '
		function t95(df) { return df >= 30 ? 2.04 : df >= 20 ? 2.09 : df >= 14 ? 2.15 : df >= 9 ? 2.26 : 2.78 }
		{ n++; r[n] = $1 / $2 - 1; sum += r[n]; with += $1; without += $2 }
		END {
			mean = sum / n
			for (i = 1; i <= n; i++) ss += (r[i] - mean) ^ 2
			half = t95(n - 1) * sqrt(ss / (n - 1) / n)
			print "| pairs | CPU s with | CPU s without | cost | 95 % of the mean |\n|--:|--:|--:|--:|---|"
			printf "| %d | %.3f | %.3f | %+.2f %% | %+.2f to %+.2f %% |\n", n, with / n, without / n, 100 * mean, 100 * (mean - half), 100 * (mean + half)
		}' "$work/pairs"
	printf '\n    benchmarks/overhead.sh REF READS... --pairs %s\n' "$pairs"
}

if [ "$result" = - ]; then
	table
else
	[ -e "$result" ] || printf '# What measuring costs\n\nMeasured with benchmarks/overhead.sh; its head says how.\n' >"$result"
	table >>"$result"
	tail -8 "$result"
fi
