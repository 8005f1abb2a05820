#!/usr/bin/env bash
# Measures joining shards against copying the same bytes, and compares the index with that of samtools.
#
#   benchmarks/gather.sh WORK REF R1 R2 [--copies 10] [--shards 16] [--rounds 7] [--regions 10000] [--threads 2]
#   benchmarks/gather.sh WORK --shards-in FOLDER [--rounds 7] [--regions 10000] [--threads 2]
#
# Maps the reads, each file COPIES times over, into SHARDS coordinate ranges in WORK/shards, which is kept and taken again; or takes
# the shard-*.bam of a FOLDER that is there. For a figure that means something they are 1 GB or more, and WORK is on the disk in
# question. Copies of one read lie side by side and compress well: reads that differ make more of a file.
#
#   cat      cat SHARD... >FILE && sync FILE: the least that joining could cost
#   gather   alignpipe gather -o FILE SHARD..., which syncs file, index and folder, and gives them their names
#   ratio    wall time of gather over that of cat, of the same round
#
# Rounds alternate who is first. Shards are read once before, and before each run dirty pages are written out, so that neither
# pays for what another left. Of each figure the median is told, and the least and the most.
#
# Then samtools indexes a copy of the file, and its answers for REGIONS random regions through either index must be the same
# records in the same order; idxstats likewise. Regions are up to 10 kb, mostly shorter, on the references that have records, drawn with a fixed seed.
# Needs samtools, /usr/bin/time, and three times the size of the shards free in WORK.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }
die() { echo "gather: error: $*" >&2; exit 1; }

[ $# -ge 3 ] || usage
work=$1 copies=10 shards=16 rounds=7 regions=10000 threads=2 folder='' files=()
shift
while [ $# -gt 0 ]; do
	case $1 in
	-*) [ $# -ge 2 ] || usage ;;
	esac
	case $1 in
	--copies) copies=$2 ;;
	--shards) shards=$2 ;;
	--rounds) rounds=$2 ;;
	--regions) regions=$2 ;;
	--threads) threads=$2 ;;
	--shards-in) folder=$2 ;;
	-*) usage ;;
	*) files+=("$1") && shift && continue ;;
	esac
	shift 2
done
[ -n "$folder" ] || [ ${#files[@]} = 3 ] || usage
mkdir -p "$work"
work=$(realpath "$work")
run=$work/gather-run
rm -rf "$run"
mkdir "$run"
trap 'rm -rf "$run"' EXIT

(cd "$here/.." && CGO_ENABLED=0 go build -o "$run/alignpipe" ./cmd/alignpipe)

# repeated FILE prints a compressed file COPIES times: members of gzip follow each other.
repeated() {
	local i
	for ((i = 0; i < copies; i++)); do cat "$1"; done
}

if [ -z "$folder" ]; then
	folder=$work/shards
	[ -e "$folder/manifest.json" ] || "$run/alignpipe" align -q -t "$threads" -T "$work" -o "$folder" --shards "$shards" "${files[0]}" \
		<(repeated "${files[1]}") <(repeated "${files[2]}")
fi
parts=("$folder"/shard-*.bam)
[ -e "${parts[0]}" ] || die "there are no shards in $folder"
bytes=$(cat "${parts[@]}" | wc -c)
echo "${#parts[@]} shards of $((bytes >> 20)) MiB together, $threads threads, $rounds rounds"

# --- the time it takes

copy() { cat "${parts[@]}" >"$run/cat.bam" && sync "$run/cat.bam"; }
join() { "$run/alignpipe" gather -q -t "$threads" -o "$run/out.bam" "${parts[@]}"; }

# timed NAME COMMAND... appends wall, user and system seconds to the file of that name.
timed() {
	local name=$1 began cpu
	shift
	rm -f "$run/cat.bam" "$run"/out.bam*
	sync
	began=${EPOCHREALTIME/./}
	TIMEFORMAT='%U %S'
	cpu=$({ time "$@" >&2; } 2>&1)
	echo "$(((${EPOCHREALTIME/./} - began))) $cpu" >>"$run/$name"
}

for ((i = 0; i < rounds; i++)); do
	if ((i % 2)); then
		timed cat copy && timed gather join
	else
		timed gather join && timed cat copy
	fi
done

# spread prints the median of the numbers read, and the least and the most.
spread() { sort -n | awk -v f="$1" '{ v[NR] = $1 } END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
	printf f " (" f " to " f ")", m, v[1], v[NR] }'; }

for name in cat gather; do
	echo "$name: wall $(awk '{ print $1 / 1e6 }' "$run/$name" | spread %.2f) s, CPU $(awk '{ print $2 + $3 }' "$run/$name" | spread %.2f) s"
done
echo "ratio: $(paste "$run/gather" "$run/cat" | awk '{ print $1 / $4 }' | spread %.3f)"

# --- what the index answers

rm -f "$run"/out.bam* "$run/cat.bam"
join
samtools quickcheck "$run/out.bam" || die "samtools quickcheck"
ln "$run/out.bam" "$run/theirs.bam"
samtools index -@ "$threads" "$run/theirs.bam"
cmp <(samtools idxstats "$run/out.bam") <(samtools idxstats "$run/theirs.bam") || die "idxstats differ"
samtools idxstats "$run/out.bam" | awk -v n="$regions" '
	$3 + $4 > 0 && $1 != "*" { name[k] = $1; upto[k] = total += $2; len[k++] = $2 }
	END {
		srand(7)
		for (i = 0; i < n; i++) {
			at = rand() * total
			for (r = 0; upto[r] <= at; r++) { }
			beg = 1 + int(len[r] - (upto[r] - at))
			print name[r] ":" beg "-" beg + int(rand() ^ 3 * 10000)
		}
	}' >"$run/regions"
[ "$(wc -l <"$run/regions")" = "$regions" ] || die "no regions to ask for"

# answers FILE prints the sum of what samtools finds for each hundred regions.
answers() {
	local some
	while read -r some; do
		# shellcheck disable=SC2086 # one argument a region
		samtools view --no-PG "$1" $some | md5sum
	done < <(xargs -n 100 <"$run/regions")
}
cmp <(answers "$run/out.bam") <(answers "$run/theirs.bam") || die "the answers differ"
records=$(xargs -n 100 <"$run/regions" | while read -r some; do samtools view -c "$run/out.bam" $some; done | awk '{ n += $1 } END { print n }')
echo "index: the same answers as samtools' own for $regions random regions, $records records, and the same idxstats"
