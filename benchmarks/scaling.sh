#!/usr/bin/env bash
# Measures what the size of the genome costs: mapping alone, on genomes of 5 Mb to 3.1 Gb, with reads of the same kind for all.
#
#   benchmarks/scaling.sh CACHE [--sets "ecoli fly chr20 big"] [--peers TOOL,TOOL] [--pairs 500000] [--threads 2] [--rounds 5]
#                         [--keep-index] [--results DIR]
#
#   ecoli 4.9 Mb, fly 21 Mb, chr20 63 Mb    as simulate.sh has them, from CACHE/SET.fa, which it makes where missing
#   big   3.1 Gb                            CACHE/big.fa, which benchmarks/genome makes where missing
#
# Reads are from benchmarks/readsim with its own rates on every genome (2x150, fragments 400 +/- 80, SNPs 0.0012, small indels
# 0.0002, errors 0.004, seed 1), so that nothing but the genome differs; CACHE/SET-readsim-pN_{1,2}.fq.gz is kept, and so are the
# indexes, in CACHE/indexes, which compare.sh takes as its --cache. alignpipe's own are made anew unless --keep-index.
# Each tool maps from its index and throws the records away: alignpipe with --sort none -l 0 -o /dev/null, the peers with
# their SAM to /dev/null. --peers names any of bwa, minimap2, bowtie2, snap, strobealign, minibwa. One that would need more than
# four fifths of the machine's memory for a genome is left out there, and said so.
#
# Rounds are interleaved over sizes and tools. In each, a run on one pair comes first: what it took is start-up, which for peers
# is mostly reading the index, and is taken off. alignpipe brings its index in while it maps reads, so that this stays in its
# numbers: a million pairs make it small beside the rest on big.
#
#   reads/s                  of wall time, start-up taken off, median of the rounds; per thread: divided by --threads (least to most)
#   time against alignpipe   wall time over alignpipe's of the same round, median (least to most)
#   user, system             microseconds of CPU a read, start-up taken off, median
#   start-up                 wall seconds of the run on one pair, median
#   RSS                      MiB, the largest of the rounds; for alignpipe, pages of its index that other runs share are in it
#
# Results: DIR/scaling.md, scaling.svg, and scaling.tsv with a line for each run, for benchmarks/plot; DIR is benchmarks/results.
# While it measures, the lines are in CACHE/runs.tsv. Needs samtools, /usr/bin/time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tools.sh"

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }

case ${1:--} in -*) usage ;; esac
cache=$1 said=CACHE # the command line in the report, without paths of this machine
shift
sets='ecoli fly chr20 big' peers='' pairs=500000 rounds=5 keep='' results=$here/results
export REF='' R1='' R2='' T=2 L=150 RG='@RG\tID:1\tSM:s\tPL:ILLUMINA' I=''
while [ $# -gt 0 ]; do
	case $1 in
	--keep-index) keep=yes said+=" $1" && shift && continue ;;
	esac
	[ $# -ge 2 ] || usage
	case $1 in
	--sets) sets=$2 ;;
	--peers) peers=$2 ;;
	--pairs) pairs=$2 ;;
	--threads) T=$2 ;;
	--rounds) rounds=$2 ;;
	--results) results=$2 ;;
	*) usage ;;
	esac
	case $1$2 in
	--results*) ;;
	*\ *) said+=" $1 '$2'" ;;
	*) said+=" $1 $2" ;;
	esac
	shift 2
done
mkdir -p "$cache" "$results"
cache=$(realpath "$cache")
runs=$cache/runs.tsv # outlives a failure
commit=$(commit)

(cd "$here/.." && go build -buildvcs=false -o "$work/" ./cmd/alignpipe ./benchmarks/{genome,readsim,plot})
PATH=$work:$PATH

# reference SET makes CACHE/SET.fa where it is missing.
reference() {
	[ -s "$cache/$1.fa" ] && return
	echo "making $1" >&2
	if [ "$1" = big ]; then
		genome -o "$cache/big.fa.part" && mv "$cache/big.fa.part" "$cache/big.fa"
	else
		"$here/simulate.sh" "$cache" "$1" --pairs 0 >/dev/null
	fi
}

# reads SET simulates pairs where they are missing, and sets R1 and R2.
reads() {
	local out=$cache/$1-readsim-p$pairs
	R1=${out}_1.fq.gz R2=${out}_2.fq.gz
	[ -s "${out}_truth.tsv.gz" ] && return
	echo "simulating $pairs pairs of $1" >&2
	readsim -ref "$REF" -o "$out-part" -pairs "$pairs" -len "$L"
	mv "$out-part_1.fq.gz" "$R1"
	mv "$out-part_2.fq.gz" "$R2"
	mv "$out-part_truth.tsv.gz" "${out}_truth.tsv.gz" # last: it says that the set is complete
}

# A set is remembered as its folder of indexes, its reads, and the tools that it fits.
declare -A folder first second bases fitting
prepare() {
	local set=$1 tool
	reference "$set"
	REF=$(realpath "$cache/$set.fa")
	index_folder "$cache/indexes"
	reads "$set"
	[ -s "$I/ref.fai" ] || samtools faidx --fai-idx "$I/ref.fai" "$I/ref.fa"
	folder[$set]=$I first[$set]=$R1 second[$set]=$R2
	bases[$set]=$(awk -F'\t' '{ sum += $2 } END { printf "%.0f", sum }' "$I/ref.fai")
	fitting[$set]=''
	for tool in "${tools[@]}"; do
		if ! fits "$(tool_needs "$tool")" "${bases[$set]}"; then
			echo "$tool would need too much memory for $set" >&2
			continue
		fi
		case $tool$keep in
		alignpipeyes) [ -s "$I/ref.apx" ] || build_index "$tool" ;;
		*) build_index "$tool" ;;
		esac
		fitting[$set]+=" $tool"
	done
	first_pairs "$R1" 1 >"$work/${set}_1.fq.gz"
	first_pairs "$R2" 1 >"$work/${set}_2.fq.gz"
}

# measure SET TOOL ROUND appends a line to the runs: see benchmarks/plot/runs.go.
measure() {
	local set=$1 tool=$2 start whole
	I=${folder[$set]} R1=${first[$set]} R2=${second[$set]}
	warm "$tool"
	R1=$work/${set}_1.fq.gz R2=$work/${set}_2.fq.gz
	start=$(timed "$(tool_alone "$tool")") || die "$tool failed on a pair of $set"
	R1=${first[$set]} R2=${second[$set]}
	whole=$(timed "$(tool_alone "$tool")") || die "$tool failed on $set"
	awk -v tool="$(tool_version "$tool")" -v set="$set" -v bases="${bases[$set]}" -v reads=$((2 * pairs)) -v threads="$T" -v round="$3" -v start="$start" \
		'BEGIN { OFS = "\t"; split(start, s, " ") } { print tool, set, bases, reads, threads, round, $1, $2, $3, int($4 / 1024), s[1], s[2], s[3] }' \
		<<<"$whole" >>"$runs"
}

read -ra wanted <<<"alignpipe ${peers//,/ }"
found=$(installed "${wanted[@]}")
mapfile -t tools <<<"$found"
for set in $sets; do prepare "$set"; done
printf '%s\t' tool set bases reads threads round wall user system rss_mib start_wall start_user >"$runs"
echo start_system >>"$runs"
for ((round = 1; round <= rounds; round++)); do
	for set in $sets; do
		for tool in ${fitting[$set]}; do
			echo "round $round: $set, $tool" >&2
			measure "$set" "$tool" "$round"
		done
	done
done

plot -svg "$work/scaling.svg" -title 'Mapping speed against genome size, 2x150' "$runs" >"$work/table"
{
	echo "# Measured with benchmarks/scaling.sh; its head says what the columns are"
	echo
	echo "$(date -u +'%F %H:%M UTC'), commit $commit, \`benchmarks/scaling.sh $said\`"
	echo
	echo "$((2 * pairs)) reads on each genome; T=$T, L=$L, $rounds rounds."
	echo "$(machine)."
	echo
	cat "$work/table"
	echo
	for tool in "${tools[@]}"; do echo "    $(tool_alone "$tool")"; done
	echo
	echo "![reads per second and thread against genome size](scaling.svg)"
} | tee "$work/scaling.md"
cp "$work/scaling.svg" "$work/scaling.md" "$results"
cp "$runs" "$results/scaling.tsv"
