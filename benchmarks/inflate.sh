#!/usr/bin/env bash
# Measures how many MB/s of FASTQ one core inflates: alignpipe's decoder beside klauspost/compress, Go's own, zlib, pigz -d and gzip -d.
#
#   benchmarks/inflate.sh [--rounds 7] [--mib 64] [--ahead 4,8] [--result FILE] READS.fq.gz...
#
# --ahead adds alignpipe with so many workers, which decode one gzip stream ahead. Programs that are not installed are left out:
# apt-get install pigz gzip python3. What is timed, and how, is in the head of inflate/main.go. FILE is benchmarks/results/inflate.md
# unless named; - is the terminal. Give it a quiet machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }

rounds=7 mib=64 ahead='' result=$here/results/inflate.md
while [ $# -gt 0 ]; do
	case $1 in
	--rounds) rounds=$2 ;;
	--mib) mib=$2 ;;
	--ahead) ahead=$2 ;;
	--result) result=$2 ;;
	-*) usage ;;
	*) break ;;
	esac
	shift 2
done
[ $# -gt 0 ] || usage

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/.." && CGO_ENABLED=0 go build -o "$work/inflate" ./benchmarks/inflate)

# say VERSION... of what is compared
versions() {
	go version | cut -d' ' -f3
	(cd "$here/.." && go list -m -f '{{.Path}} {{.Version}}' github.com/klauspost/compress)
	command -v python3 >/dev/null && python3 -c 'import zlib; print("zlib", zlib.ZLIB_RUNTIME_VERSION)'
	command -v pigz >/dev/null && pigz --version 2>&1 | head -1
	command -v gzip >/dev/null && gzip --version | head -1
}

"$work/inflate" -rounds "$rounds" -bytes "$mib" -ahead "$ahead" "$@" >"$work/table"
{
	echo "# Inflating FASTQ"
	echo
	echo "$(date -u +%Y-%m-%d), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores, commit $(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown);"
	versions | paste -sd, | sed 's/,/, /g;s/$/./'
	echo "$rounds rounds, each file repeated to about $mib MiB; MB are millions of plain bytes. Times are of the same round, medians."
	echo
	echo "    benchmarks/inflate.sh --rounds $rounds --mib $mib${ahead:+ --ahead $ahead} $(for f; do basename "$f"; done | paste -sd' ')"
	echo
	cat "$work/table"
} >"$work/report"
if [ "$result" = - ]; then cat "$work/report"; else cp "$work/report" "$result" && echo "$result"; fi
