#!/usr/bin/env bash
# shellcheck disable=SC2016 # command lines are kept as text, with the names of variables in them
# Sorts a BAM with the sort of this library and with samtools and sambamba, and appends tables to benchmarks/results/.
#
#   benchmarks/sort.sh REF [--index REF.apx] [--cache DIR] [--pairs 2500000] [--input BAM] [--big-pairs 10000000] [--big-input BAM]
#                      [--only "memory spilling"] [--threads 2] [--level 1] [--rounds 5] [--name sort]
#
# The inputs are BAMs without compression, as an aligner writes them: pairs of 2x150 from REF (benchmarks/readsim), with names and
# qualities like those of a NovaSeq, placed by `alignpipe align --sort none -l 0`. They are made in CACHE when they are not there,
# and kept: 350 bytes a record. --input and --big-input take others.
#
#   memory     5 million records (2 for each of --pairs); as much memory as any of the tools needs to make no files
#   spilling   20 million records; a quarter of the memory that they take in the slabs of sortbam, 96 MiB at least
#
# All have the same memory in all: samtools' -m is for each thread. Inputs are in the page cache before each run, and rounds are
# interleaved, so a busy minute hits all. Outputs go to CACHE too. sortbam and sambamba write an index beside the BAM, samtools
# does not: it is left out of its work, to its favour.
#
#   wall      seconds, median of the rounds (least to most)
#   CPU       user and system seconds, median; and of that for each record, in microseconds
#   user      of it, user seconds: system time is mostly that of fresh memory, which differs from run to run of a virtual machine
#   RSS       the largest of any run, in MiB
#   size      MiB of the BAM
#   runs      files that were spilled, where the tool tells
#
# A second table has, round by round, wall and CPU of the faster of the two others over those of sortbam.
# In the first round each output is checked: quickcheck, flagstat as of the input, and the index of samtools, which refuses a file
# that is not in order; below the tables it says whether the smaller outputs have the same records in the same order. Needs Go, samtools and sambamba (installed from Debian when missing, as root), /usr/bin/time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '3,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }

[ $# -ge 1 ] || usage
ref=$(realpath "$1") index='' cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignpipe-benchmarks pairs=2500000 big_pairs=10000000
input='' big_input='' only='memory spilling' rounds=5 name=sort
export T=2 L=1 IN='' OUT='' TMP='' MIB=0 EACH=0
shift
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--index) index=$(realpath "$2") ;;
	--cache) cache=$2 ;;
	--pairs) pairs=$2 ;;
	--input) input=$(realpath "$2") ;;
	--big-pairs) big_pairs=$2 ;;
	--big-input) big_input=$(realpath "$2") ;;
	--only) only=$2 ;;
	--threads) T=$2 ;;
	--level) L=$2 ;;
	--rounds) rounds=$2 ;;
	--name) name=$2 ;;
	*) usage ;;
	esac
	shift 2
done
mkdir -p "$cache"
cache=$(realpath "$cache")
. "$here/tools.sh"
trap 'rm -rf "$work" "$cache"/sort-scratch-$$' EXIT
mkdir "$cache/sort-scratch-$$"

# need COMMAND installs the package of that name where the command is missing.
need() {
	command -v "$1" >/dev/null && return
	[ "$(id -u)" = 0 ] || die "$1 is missing: apt-get install $1"
	quietly "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends $1" || die "cannot install $1"
}

for tool in samtools sambamba; do need $tool; done
commit=$(commit)
(cd "$here/.." && go build -buildvcs=false -o "$work/" ./cmd/alignpipe ./benchmarks/readsim ./benchmarks/sortbam)
PATH=$work:$PATH

# --- inputs

# illumina renames the reads of a FASTQ file by their number alone, so that mates agree: 7,100 to a tile, as of a whole genome
# of which REF is one chromosome, with y ascending and x anywhere.
illumina() {
	awk 'NR % 4 != 1 { print; next } {
		n = (NR - 1) / 4; tile = int(n / 7100)
		x = 1000 + (n * 7919 + 12345) % 31337; y = 1000 + int(n % 7100 * 4.9)
		printf "@A00123:45:HXXXXXXX:%d:%d%d%02d:%d:%d\n", 1 + tile / 352 % 4, 1 + tile / 176 % 2, 1 + tile / 44 % 4, 1 + tile % 44, x, y
	}' "$1"
}

# make_input PAIRS PATH
make_input() {
	local part=$cache/sort-scratch-$$/reads
	echo "making $2" >&2
	readsim -ref "$ref" -o "$part" -pairs "$1" -plain
	alignpipe align -q -t "$T" --sort none -l 0 -R '@RG\tID:1\tSM:s\tPL:ILLUMINA' -o "$2" "${index:-$ref}" \
		<(illumina "${part}_1.fq") <(illumina "${part}_2.fq")
	rm "$part"*
}

# Below it buffers are most of what a tool takes, whatever its -m.
least_mib=96

# input_of WAY sets IN, makes it where it is missing, and sets records and the memory.
input_of() {
	local n=$pairs given=$input bytes
	[ "$1" = memory ] || n=$big_pairs given=$big_input
	IN=${given:-$cache/sort-$(basename "$ref" | cut -d. -f1)-p$n.bam}
	[ -s "$IN" ] || make_input "$n" "$IN"
	[ -e "$work/$1.flagstat" ] || samtools flagstat "$IN" >"$work/$1.flagstat"
	records=$(awk 'NR == 1 { print $1 + $3 }' "$work/$1.flagstat")
	bytes=$(($(stat -L -c %s "$IN") + 40 * records)) # in slabs a record has 40 bytes more: ordinal, entry, room to sort that
	# For their objects samtools and sambamba need about twice that, and half of the threads' shares may go unused.
	if [ "$1" = memory ]; then bytes=$((bytes * 5 / 2)); else bytes=$((bytes / 4)); fi
	MIB=$((bytes >> 20 > least_mib ? bytes >> 20 : least_mib)) EACH=$((MIB / T))
}

# --- measuring

tools='sortbam samtools sambamba'

tool_sort() {
	case $1 in
	sortbam) echo 'sortbam -t $T -l $L -m ${MIB}M -T $TMP -o $OUT $IN' ;;
	samtools) echo 'samtools sort -@ $T -l $L -m ${EACH}M -T $TMP/s -o $OUT $IN' ;;
	sambamba) echo 'sambamba sort -q -t $T -l $L -m ${MIB}M --tmpdir=$TMP -o $OUT $IN' ;;
	esac
}

sort_version() {
	case $1 in
	sortbam) echo "sortbam ($(alignpipe --version | sed 1q))" ;;
	samtools) samtools --version | sed 1q ;;
	sambamba) sambamba --version 2>&1 | awk 'NF { print $1, $2; exit }' ;;
	esac
}

# spilled_runs TOOL reads it from what the tool has said.
spilled_runs() {
	case $1 in
	sortbam) sed -n 's/.*"spilled_runs":\([0-9]*\).*/\1/p' "$work/log" ;;
	samtools) sed -n 's/.*merging from \([0-9]*\) files.*/\1/p' "$work/log" ;;
	*) echo - ;;
	esac
}

# measure TOOL WAY ROUND appends "wall cpu user rss size runs" of one run to work/TOOL.WAY.
measure() {
	local run
	OUT=$cache/sort-scratch-$$/$1.bam TMP=$cache/sort-scratch-$$/tmp
	mkdir "$TMP"
	cat "$IN" >/dev/null
	sync
	run=$(timed "$(tool_sort "$1")") || die "$1 failed"
	awk -v size="$(stat -c %s "$OUT")" -v runs="$(spilled_runs "$1")" \
		'{ printf "%s %.2f %s %d %.1f %s\n", $1, $2 + $3, $2, $4 / 1024, size / 1048576, runs }' <<<"$run" >>"$work/$1.$2"
	[ "$3" -gt 1 ] || examine "$1" "$2"
	rm -rf "$TMP" "$OUT" "$OUT.bai"
}

# examine TOOL WAY looks at the output.
examine() {
	samtools quickcheck "$OUT" || die "$1: the output is not whole"
	samtools flagstat "$OUT" | cmp - "$work/$2.flagstat" || die "$1: flagstat differs from that of the input"
	samtools index "$OUT" "$work/check.bai" || die "$1: not in order"
	[ ! -e "$OUT.bai" ] || samtools idxstats "$OUT##idx##$work/check.bai" | cmp - <(samtools idxstats "$OUT") ||
		die "$1: its index does not count as that of samtools"
	[ "$2" = spilling ] || samtools view "$OUT" | cksum >>"$work/$2.sums" # of the text: long for the large one
}

# --- tables

# spread prints median, least and most of the numbers it reads.
spread() {
	sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2)
		print (NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2), v[1], v[NR] }'
}

# column TOOL WAY N is the spread of a column.
column() { cut -d' ' -f"$3" "$work/$1.$2" | spread; }

row() {
	local wall least most cpu user rss size
	read -r wall least most < <(column "$1" "$2" 1)
	read -r cpu _ < <(column "$1" "$2" 2)
	read -r user _ < <(column "$1" "$2" 3)
	read -r _ _ rss < <(column "$1" "$2" 4)
	read -r size _ < <(column "$1" "$2" 5)
	echo "| $(sort_version "$1") | $wall ($least to $most) | $cpu | $(each "$cpu") | $user | $rss | $size | $(tail -1 "$work/$1.$2" | cut -d' ' -f6) |"
}

# each SECONDS is what a record takes of it, in microseconds.
each() { awk -v s="$1" -v n="$records" 'BEGIN { printf "%.2f", s / n * 1e6 }'; }

# ratios WAY N NAME is a row: in each round the lesser of the others' columns over that of sortbam.
ratios() {
	local each median least most
	each=$(paste -d' ' <(cut -d' ' -f"$2" "$work/sortbam.$1") <(cut -d' ' -f"$2" "$work/samtools.$1") <(cut -d' ' -f"$2" "$work/sambamba.$1") |
		awk '{ printf "%.3f\n", ($2 < $3 ? $2 : $3) / $1 }')
	read -r median least most < <(spread <<<"$each")
	printf '| %s | %s | %.2f (%.2f to %.2f) |\n' "$3" "$(awk '{ printf "%s%.2f", (NR > 1 ? " " : ""), $1 }' <<<"$each")" "$median" "$least" "$most"
}

# same_order WAY tells whether ties came out alike; each tool has its own rule.
same_order() {
	if [ "$(sort -u "$work/$1.sums" | wc -l)" = 1 ]; then
		echo "All outputs have the same records in the same order."
	else
		echo "The outputs differ in the order of records with the same place, or in what they changed in them."
	fi
}

table() {
	local tool
	input_of "$1"
	echo
	echo "### $1: $records records, $(($(stat -L -c %s "$IN") >> 20)) MiB in, $MIB MiB of memory"
	echo
	echo "| tool | wall s | CPU s | us/record | user s | RSS MiB | size MiB | runs |"
	echo "|---|---|--:|--:|--:|--:|--:|--:|"
	for tool in $tools; do row "$tool" "$1"; done
	echo
	echo "| the faster of the others, over sortbam | each round | median |"
	echo "|---|---|---|"
	ratios "$1" 1 wall
	ratios "$1" 2 CPU
	ratios "$1" 3 user
	[ ! -e "$work/$1.sums" ] || { echo && same_order "$1"; }
}

for ((round = 1; round <= rounds; round++)); do
	for way in $only; do
		input_of "$way"
		for tool in $tools; do
			echo "round $round: $way, $tool" >&2
			measure "$tool" "$way" "$round"
		done
	done
done

mkdir -p "$here/results"
[ -s "$here/results/$name.md" ] || echo "# Measured with benchmarks/sort.sh; its head says what the columns are" >"$here/results/$name.md"
{
	echo
	echo "## $(date -u +'%F %H:%M UTC'), commit $commit"
	echo
	echo "Pairs of 2x150 of $(basename "$ref"); T=$T, L=$L, $rounds rounds."
	echo "$(machine)."
	for way in $only; do table "$way"; done
	echo
	for tool in $tools; do echo "    $(tool_sort "$tool")"; done
} | tee -a "$here/results/$name.md"
