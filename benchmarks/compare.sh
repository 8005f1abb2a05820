#!/usr/bin/env bash
# Runs alignpipe beside the aligners that are installed, on the same reads, and appends tables to benchmarks/results/.
#
#   benchmarks/compare.sh REF R1 R2 [--truth TRUTH.bam|TRUTH.tsv.gz] [--mapeval CMD] [--pairs N] [--threads 2]
#                         [--sorter-threads 1] [--sort-none] [--rounds 3] [--cache DIR] [--name NAME] [--only "TOOL ..."]
#
# Each tool makes a coordinate-sorted BAM at level 1 with a BAI: alignpipe by itself, bwa, minimap2, bowtie2, snap-aligner,
# strobealign and minibwa through `samtools sort`. Indexes of the reference are built before, are not timed, and are kept in
# CACHE. Inputs are read once before each run, so none waits for a cold disk; rounds are interleaved, so a busy minute hits all.
#
#   wall     seconds, median of the rounds (least to most)
#   CPU      user and system seconds of every process of the line, median
#   RSS      largest peak of any one process of the line, in MiB: the peers' sorters come on top of it
#   size     MiB of the BAM
#   mapeval  the row of benchmarks/mapeval, with --truth
#
# A second table divides each peer's wall and CPU by alignpipe's of the same round: each round, then the median (least to most).
# "N times as fast" is that median, and not a ratio of two medians: what slows a minute down slows both halves of a pair.
#
# --sort-none measures mapping alone as well: alignpipe with --sort none -l 0 -o /dev/null (BAM without compression), the peers
# with their SAM to /dev/null. Loading the index is part of it: scaling.sh takes it off.
# --sorter-threads goes to samtools sort -@, which counts threads beside the main one: 1 is the default because mapper and
# sorter run at the same time, and more of them than cores only get in each other's way.
# --pairs N takes the first N pairs; --mapeval names a program that takes -truth, -bam and -label. Needs samtools, /usr/bin/time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tools.sh"

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }

[ $# -ge 3 ] || usage
export REF R1 R2 T=2 ST=1 L
REF=$(realpath "$1") R1=$(realpath "$2") R2=$(realpath "$3")
shift 3
truth='' mapeval='' pairs='' rounds=3 cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignpipe-benchmarks name=compare
only=$alltools ways=sorted
while [ $# -gt 0 ]; do
	case $1 in
	--sort-none) ways='sorted alone' && shift && continue ;;
	esac
	[ $# -ge 2 ] || usage
	case $1 in
	--truth) truth=$(realpath "$2") ;;
	--mapeval) mapeval=$2 ;;
	--pairs) pairs=$2 ;;
	--threads) T=$2 ;;
	--sorter-threads) ST=$2 ;;
	--rounds) rounds=$2 ;;
	--cache) cache=$2 ;;
	--name) name=$2 ;;
	--only) only=$2 ;;
	*) usage ;;
	esac
	shift 2
done

export RG='@RG\tID:1\tSM:s\tPL:ILLUMINA' OUT='' I
index_folder "$cache"
reference_name=$(basename "$REF") reads_name="$(basename "$R1") $(basename "$R2")"
commit=$(commit)

(cd "$here/.." && go build -buildvcs=false -o "$work/" ./cmd/alignpipe ./benchmarks/mapeval)
PATH=$work:$PATH
[ -n "$mapeval" ] || mapeval=$work/mapeval

# --- measuring; a way is sorted or alone

# measure TOOL WAY appends "wall user+system user system rss size" of one run to work/TOOL.WAY.
measure() {
	local tool=$1 way=$2 size=0 run
	OUT=$work/$tool.bam
	warm "$tool"
	if [ "$way" = sorted ]; then
		rm -f "$OUT" "$OUT.bai"
		sync
		run=$(timed "$(tool_sorted "$tool")") || die "$tool failed"
		[ -s "$OUT.bai" ] || die "$tool left no index"
		size=$(stat -c %s "$OUT")
	else
		run=$(timed "$(tool_alone "$tool")") || die "$tool failed"
	fi
	awk -v size="$size" '{ printf "%s %.2f %s %s %d %.1f\n", $1, $2 + $3, $2, $3, $4 / 1024, size / 1048576 }' <<<"$run" >>"$work/$tool.$way"
}

# spread prints median, least and most of the numbers it reads.
spread() {
	sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2)
		print (NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2), v[1], v[NR] }'
}

# column TOOL WAY N is the spread of a column.
column() { cut -d' ' -f"$3" "$work/$1.$2" | spread; }

row() {
	local wall cpu rss size least most median score=''
	read -r median least most < <(column "$1" sorted 1)
	wall="$median ($least to $most)"
	read -r cpu _ < <(column "$1" sorted 2)
	read -r _ _ rss < <(column "$1" sorted 5)
	read -r size _ < <(column "$1" sorted 6)
	if [ -n "$truth" ]; then
		score=$($mapeval -truth "$truth" -bam "$work/$1.bam" -label '')
		read -r score <<<"$score" # trims
	fi
	echo "| $(tool_version "$1") | $wall | $cpu | $rss | $size | $score |"
}

# row_alone has times for each read, since the whole is only mapping.
row_alone() {
	local wall least most user system rss
	read -r wall least most < <(column "$1" alone 1)
	read -r user _ < <(column "$1" alone 3)
	read -r system _ < <(column "$1" alone 4)
	read -r _ _ rss < <(column "$1" alone 5)
	awk -v reads="$reads" -v tool="$(tool_version "$1")" -v wall="$wall ($least to $most)" -v user="$user" -v sys="$system" -v rss="$rss" \
		'BEGIN { printf "| %s | %s | %.2f | %.2f | %s |\n", tool, wall, user / reads * 1e6, sys / reads * 1e6, rss }'
}

# ratios TOOL WAY N divides a column by alignpipe's, round by round.
ratios() {
	local each median least most
	each=$(paste -d' ' <(cut -d' ' -f"$3" "$work/$1.$2") <(cut -d' ' -f"$3" "$work/alignpipe.$2") | awk '{ printf "%.3f\n", $2 ? $1 / $2 : 0 }')
	read -r median least most < <(spread <<<"$each")
	printf '%s | %.2f (%.2f to %.2f)' "$(awk '{ printf "%s%.2f", (NR > 1 ? " " : ""), $1 }' <<<"$each")" "$median" "$least" "$most"
}

# against_alignpipe WAY is the table of ratios, if there is something to divide.
against_alignpipe() {
	local tool
	[ -e "$work/alignpipe.$1" ] && [ ${#tools[@]} -gt 1 ] || return 0
	echo
	echo "| against alignpipe | wall, each round | wall | CPU, each round | CPU |"
	echo "|---|---|---|---|---|"
	for tool in "${tools[@]}"; do
		[ "$tool" = alignpipe ] || echo "| $(tool_version "$tool") | $(ratios "$tool" "$1" 1) | $(ratios "$tool" "$1" 2) |"
	done
}

take_pairs() {
	first_pairs "$R1" "$pairs" >"$work/first_1.fq.gz"
	first_pairs "$R2" "$pairs" >"$work/first_2.fq.gz"
	R1=$work/first_1.fq.gz R2=$work/first_2.fq.gz
	if [ -n "$truth" ]; then
		gzip -dc "$R1" | awk 'NR % 4 == 1 { sub(/^@/, ""); sub(/[ \t].*/, ""); sub(/\/[12]$/, ""); print }' >"$work/names"
		case $truth in
		*.tsv | *.tsv.gz)
			gzip -cdf "$truth" | awk 'NR == FNR { named[$1]; next } $1 in named' "$work/names" - >"$work/truth.tsv"
			truth=$work/truth.tsv
			;;
		*)
			samtools view -b -N "$work/names" -o "$work/truth.bam" "$truth"
			truth=$work/truth.bam
			;;
		esac
	fi
}

[ -z "$pairs" ] || take_pairs
L=$(read_length "$R1")
reads=$(gzip -dcf "$R1" "$R2" | awk 'END { print NR / 4 }')
read -ra wanted <<<"$only"
found=$(installed "${wanted[@]}")
mapfile -t tools <<<"$found"
[ -n "$found" ] || die "nothing to measure"
for tool in "${tools[@]}"; do build_index "$tool"; done
for ((round = 1; round <= rounds; round++)); do
	for way in $ways; do
		for tool in "${tools[@]}"; do
			echo "round $round: $tool, $way" >&2
			measure "$tool" "$way"
		done
	done
done

mkdir -p "$here/results"
[ -s "$here/results/$name.md" ] || echo "# Measured with benchmarks/compare.sh; its head says what the columns are" >"$here/results/$name.md"
{
	echo
	echo "## $(date -u +'%F %H:%M UTC'), commit $commit"
	echo
	echo "$reference_name, $reads_name${pairs:+, the first $pairs pairs}; T=$T, ST=$ST, L=$L, $rounds rounds."
	echo "$(machine)."
	echo
	echo "| tool | wall s | CPU s | RSS MiB | size MiB | mapeval |"
	echo "|---|---|---|---|---|---|"
	for tool in "${tools[@]}"; do row "$tool"; done
	against_alignpipe sorted
	echo
	for tool in "${tools[@]}"; do echo "    $(tool_sorted "$tool")"; done
	if [ -e "$work/${tools[0]}.alone" ]; then
		echo
		echo "Mapping alone, $reads reads:"
		echo
		echo "| tool | wall s | user us/read | system us/read | RSS MiB |"
		echo "|---|---|--:|--:|---|"
		for tool in "${tools[@]}"; do row_alone "$tool"; done
		against_alignpipe alone
		echo
		for tool in "${tools[@]}"; do echo "    $(tool_alone "$tool")"; done
	fi
} | tee -a "$here/results/$name.md"
