#!/usr/bin/env bash
# Runs alignpipe beside the aligners that are installed, on the same reads, and appends a table to benchmarks/results/.
#
#   benchmarks/compare.sh REF R1 R2 [--truth TRUTH.bam|TRUTH.tsv.gz] [--mapeval CMD] [--pairs N]
#                         [--threads 2] [--rounds 3] [--cache DIR] [--name NAME] [--only "TOOL ..."]
#
# Each tool makes a coordinate-sorted BAM at level 1 with a BAI: alignpipe by itself, bwa, minimap2, bowtie2 and snap-aligner
# through `samtools sort`. Indexes of the reference are built before, are not timed, and are kept in CACHE. Inputs are read once
# before each run, so none waits for a cold disk; rounds are interleaved, so a busy minute hits all tools.
#
#   wall     seconds, median of the rounds (least to most)
#   CPU      user and system seconds of every process of the line, median
#   RSS      largest peak of any one process of the line, in MiB: the peers' sorters come on top of it
#   size     MiB of the BAM
#   mapeval  the row of benchmarks/mapeval, with --truth
#
# --pairs N takes the first N pairs; --mapeval names a program that takes -truth, -bam and -label. Needs samtools, /usr/bin/time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }
die() { echo "compare: error: $*" >&2; exit 1; }

[ $# -ge 3 ] || usage
export REF R1 R2 T=2 # the command lines below name these
REF=$(realpath "$1") R1=$(realpath "$2") R2=$(realpath "$3")
shift 3
truth='' mapeval='' pairs='' rounds=3 cache=${XDG_CACHE_HOME:-$HOME/.cache}/alignpipe-benchmarks name=compare
only='alignpipe bwa minimap2 bowtie2 snap'
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--truth) truth=$(realpath "$2") ;;
	--mapeval) mapeval=$2 ;;
	--pairs) pairs=$2 ;;
	--threads) T=$2 ;;
	--rounds) rounds=$2 ;;
	--cache) cache=$2 ;;
	--name) name=$2 ;;
	--only) only=$2 ;;
	*) usage ;;
	esac
	shift 2
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RG='@RG\tID:1\tSM:s\tPL:ILLUMINA' OUT='' I
digest=$(cksum <"$REF")
I=$(realpath -m "$cache")/${digest// /-} # one folder of indexes per reference
mkdir -p "$I"
reference_name=$(basename "$REF") reads_name="$(basename "$R1") $(basename "$R2")"

(cd "$here/.." && go build -buildvcs=false -o "$work/" ./cmd/alignpipe ./benchmarks/mapeval)
PATH=$work:$PATH
[ -n "$mapeval" ] || mapeval=$work/mapeval

# --- the tools: how each is found, indexed, run, and asked its version

sorted="samtools sort -@ \$T -m 512M -l 1 --write-index -o \$OUT##idx##\$OUT.bai -"

tool_program() { [ "$1" = snap ] && echo snap-aligner || echo "$1"; }

tool_index() {
	case $1 in
	alignpipe) echo 'alignpipe index -o $I/ref.apx $REF' ;;
	bwa) echo 'bwa index -p $I/bwa $I/ref.fa' ;;
	minimap2) echo 'minimap2 -x sr -d $I/ref.mmi $REF' ;;
	bowtie2) echo 'bowtie2-build --threads $T $I/ref.fa $I/bowtie2' ;;
	snap) echo 'snap-aligner index $I/ref.fa $I/snap -t$T' ;;
	esac
}

tool_command() {
	case $1 in
	alignpipe) echo 'alignpipe align -t $T -l 1 -R $RG -o $OUT $I/ref.apx $R1 $R2' ;;
	bwa) echo "bwa mem -t \$T -K 100000000 -R \$RG \$I/bwa \$R1 \$R2 | $sorted" ;;
	minimap2) echo "minimap2 -ax sr -t \$T -R \$RG \$I/ref.mmi \$R1 \$R2 | $sorted" ;;
	bowtie2) echo "bowtie2 -p \$T --rg-id 1 --rg SM:s --rg PL:ILLUMINA -x \$I/bowtie2 -1 \$R1 -2 \$R2 | $sorted" ;;
	snap) echo "snap-aligner paired \$I/snap \$R1 \$R2 -t \$T -R \$RG -o -sam - | $sorted" ;;
	esac
}

tool_version() {
	case $1 in
	alignpipe) alignpipe --version ;;
	bwa) bwa 2>&1 | sed -n 's/^Version: /bwa /p' ;;
	minimap2) echo "minimap2 $(minimap2 --version)" ;;
	bowtie2) bowtie2 --version | sed -n '1s/.*version /bowtie2 /p' ;;
	snap) snap-aligner 2>&1 | sed -n 's/^Welcome to SNAP version \(.*\)\.$/snap-aligner \1/p' ;;
	esac | head -1
}

# --- measuring

# A command line runs without splitting or globbing of its variables, since names may hold blanks, and fails when any part of it does.
shell=(bash -f -o pipefail -c)

build_index() {
	local tool=$1
	[ "$tool" != alignpipe ] && [ -e "$I/$tool.done" ] && return # ours changes with the code
	[ -s "$I/ref.fa" ] || case $REF in *.gz) gzip -dc "$REF" >"$I/ref.fa" ;; *) cp "$REF" "$I/ref.fa" ;; esac
	echo "indexing for $tool" >&2
	"${shell[@]}" "IFS=; $(tool_index "$tool")" >"$work/log" 2>&1 || { cat "$work/log" >&2; die "$tool cannot index $REF"; }
	touch "$I/$tool.done"
}

# measure TOOL appends "wall user+sys rss size" of one run to work/TOOL.
measure() {
	local tool=$1 line
	line=$(tool_command "$tool")
	OUT=$work/$tool.bam
	rm -f "$OUT" "$OUT.bai"
	find "$REF" "$R1" "$R2" "$I" -type f -exec cat {} + >/dev/null
	sync
	/usr/bin/time -o "$work/time" -f '%e %U %S %M' "${shell[@]}" "IFS=; $line" >"$work/log" 2>&1 ||
		{ tail -20 "$work/log" >&2; die "$tool failed"; }
	[ -s "$OUT.bai" ] || die "$tool left no index"
	awk -v size="$(stat -c %s "$OUT")" '{ printf "%s %.2f %d %.1f\n", $1, $2 + $3, $4 / 1024, size / 1048576 }' "$work/time" >>"$work/$tool.runs"
}

# column TOOL N prints median, least and most of a column.
column() {
	cut -d' ' -f"$2" "$work/$1.runs" | sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2)
		print (NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2), v[1], v[NR] }'
}

row() {
	local wall cpu rss size least most median score=''
	read -r median least most < <(column "$1" 1)
	wall="$median ($least to $most)"
	read -r cpu _ < <(column "$1" 2)
	read -r _ _ rss < <(column "$1" 3)
	read -r size _ < <(column "$1" 4)
	if [ -n "$truth" ]; then
		score=$($mapeval -truth "$truth" -bam "$work/$1.bam" -label '')
		read -r score <<<"$score" # trims
	fi
	echo "| $(tool_version "$1") | $wall | $cpu | $rss | $size | $score |"
}

machine() {
	local cpu
	cpu=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
	echo "${cpu:-$(uname -m)}, $(nproc) CPUs, $(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB," \
		"Linux $(uname -r), $(go env GOVERSION), $(samtools --version | head -1)"
}

first_pairs() {
	local i=0 file
	for file in "$R1" "$R2"; do
		i=$((i + 1))
		{ case $file in *.gz) gzip -dc "$file" ;; *) cat "$file" ;; esac || true; } 2>/dev/null |
			head -n $((4 * pairs)) | gzip -1 >"$work/first_$i.fq.gz"
	done
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

[ -z "$pairs" ] || first_pairs
tools=()
for tool in $only; do
	[ -n "$(tool_command "$tool")" ] || die "no tool $tool"
	if command -v "$(tool_program "$tool")" >/dev/null; then tools+=("$tool"); else echo "$tool is not installed" >&2; fi
done
for tool in "${tools[@]}"; do build_index "$tool"; done
for ((round = 1; round <= rounds; round++)); do
	for tool in "${tools[@]}"; do
		echo "round $round: $tool" >&2
		measure "$tool"
	done
done

mkdir -p "$here/results"
[ -s "$here/results/$name.md" ] || echo "# Measured with benchmarks/compare.sh; its head says what the columns are" >"$here/results/$name.md"
{
	echo
	echo "## $(date -u +'%F %H:%M UTC'), commit $(git -C "$here" describe --always --dirty 2>/dev/null || echo unknown)"
	echo
	echo "$reference_name, $reads_name${pairs:+, the first $pairs pairs}; T=$T, $rounds rounds."
	echo "$(machine)."
	echo
	echo "| tool | wall s | CPU s | RSS MiB | size MiB | mapeval |"
	echo "|---|---|---|---|---|---|"
	for tool in "${tools[@]}"; do row "$tool"; done
	echo
	for tool in "${tools[@]}"; do echo "    $(tool_command "$tool")"; done
} | tee -a "$here/results/$name.md"
