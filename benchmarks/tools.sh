# shellcheck shell=bash disable=SC2016 # command lines are kept as text, with the names of variables in them
# What compare.sh and scaling.sh share: how each tool is found, indexed, run, and asked its version, and how runs are timed.
# They source it with $here (this folder) set; $work is a scratch folder. Command lines name what they export:
#
#   I       folder of the indexes of a reference; its sequence is $I/ref.fa
#   REF     the reference as it was given
#   R1 R2   reads
#   L       their length: an index of strobealign is for one
#   T ST    threads of the mapper, and those that the sorter has beside its main one
#   RG OUT  read group, and the BAM to write

: "${here:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

alltools='alignpipe bwa minimap2 bowtie2 snap strobealign minibwa'

die() { echo "$(basename "$0" .sh): error: $*" >&2; exit 1; }

tool_program() { [ "$1" = snap ] && echo snap-aligner || echo "$1"; }

tool_index() {
	case $1 in
	alignpipe) echo 'alignpipe index -o $I/ref.apx $REF' ;;
	bwa) echo 'bwa index -p $I/bwa $I/ref.fa' ;;
	minimap2) echo 'minimap2 -x sr -d $I/ref.mmi $REF' ;;
	bowtie2) echo 'bowtie2-build --threads $T $I/ref.fa $I/bowtie2' ;;
	snap) echo 'snap-aligner index $I/ref.fa $I/snap -t$T' ;;
	strobealign) echo 'strobealign -i -t $T -r $L $I/ref.fa' ;; # leaves ref.fa.rN.sti
	minibwa) # without -l it took 11.3 bytes a base up to 63 Mb; 28 leaves room for 64-bit numbers, which were not measured
		if fits 28; then echo 'minibwa index -t $T $I/ref.fa $I/minibwa'; else echo 'minibwa index -l $I/ref.fa $I/minibwa'; fi
		;;
	esac
}

# tool_files is a pattern of what a run reads of the folder of indexes.
tool_files() {
	case $1 in
	alignpipe) echo ref.apx ;;
	minimap2) echo ref.mmi ;;
	snap) echo 'snap/*' ;;
	strobealign) echo 'ref.fa*' ;;
	*) echo "$1.*" ;;
	esac
}

# tool_map is the command line of a peer that writes SAM to standard output.
tool_map() {
	case $1 in
	bwa) echo 'bwa mem -t $T -K 100000000 -R $RG $I/bwa $R1 $R2' ;;
	minimap2) echo 'minimap2 -ax sr -t $T -R $RG $I/ref.mmi $R1 $R2' ;;
	bowtie2) echo 'bowtie2 -p $T --rg-id 1 --rg SM:s --rg PL:ILLUMINA -x $I/bowtie2 -1 $R1 -2 $R2' ;;
	snap) echo 'snap-aligner paired $I/snap $R1 $R2 -t $T -R $RG -o -sam -' ;;
	strobealign) echo 'strobealign -t $T --use-index -r $L --rg-id 1 --rg SM:s --rg PL:ILLUMINA $I/ref.fa $R1 $R2' ;;
	minibwa) echo 'minibwa map -t $T -R $RG $I/minibwa $R1 $R2' ;;
	*) die "no tool $1" ;;
	esac
}

# tool_sorted leaves a sorted BAM with its index in OUT; tool_alone maps and throws the records away.
tool_sorted() {
	case $1 in
	alignpipe) echo 'alignpipe align -t $T -l 1 -R $RG -o $OUT $I/ref.apx $R1 $R2' ;;
	*) echo "$(tool_map "$1")"' | samtools sort -@ $ST -m 512M -l 1 --write-index -o $OUT##idx##$OUT.bai -' ;;
	esac
}

tool_alone() {
	case $1 in
	alignpipe) echo 'alignpipe align -t $T --sort none -l 0 -R $RG -o /dev/null $I/ref.apx $R1 $R2' ;;
	*) echo "$(tool_map "$1") >/dev/null" ;;
	esac
}

tool_version() {
	{ case $1 in # some say it along with their usage, and fail
	alignpipe) alignpipe --version ;;
	bwa) bwa 2>&1 | sed -n 's/^Version: /bwa /p' ;;
	minimap2) echo "minimap2 $(minimap2 --version)" ;;
	bowtie2) bowtie2 --version | sed -n '1s/.*version /bowtie2 /p' ;;
	snap) snap-aligner 2>&1 | sed -n 's/^Welcome to SNAP version \(.*\)\.$/snap-aligner \1/p' ;;
	strobealign) echo "strobealign $(strobealign --version 2>&1)" ;;
	minibwa) echo "minibwa $(minibwa version)" ;;
	esac || true; } | sed 1q
}

# tool_needs is the memory that the larger of indexing and mapping takes, in bytes per base of the reference: peak RSS on 63 Mb
# less that on 21 Mb, over the difference in bases. Nothing larger was measured, so for larger genomes it is a straight line.
tool_needs() {
	case $1 in
	alignpipe) echo 2.2 ;; # what the README promises; measured 2.0
	bwa) echo 1.8 ;;       # mapping; its indexing changes its way between the two sizes, and took 1.5 on 63 Mb
	minimap2) echo 8.6 ;;  # indexing; mapping 4.4
	bowtie2) echo 1.5 ;;   # not measured, a guess
	snap) echo 14 ;;
	strobealign) echo 4.4 ;;
	minibwa) echo 2.5 ;; # indexing under -l; mapping 2.2
	esac
}

# fits BYTES-PER-BASE [SIZE] says whether four fifths of the machine's memory are enough.
fits() {
	awk -v each="$1" -v bases="${2:-$(stat -L -c %s "$I/ref.fa")}" '/^MemTotal/ { exit !(each * bases < .8 * 1024 * $2) }' /proc/meminfo
}

# installed TOOL... prints those that are, and says of the others that they are not.
installed() {
	local tool
	for tool; do
		case " $alltools " in *" $tool "*) ;; *) die "no tool $tool" ;; esac
		if command -v "$(tool_program "$tool")" >/dev/null; then echo "$tool"; else echo "$tool is not installed" >&2; fi
	done
}

# --- indexes

# index_folder CACHE sets I to the folder of REF, which goes by what is in the file.
index_folder() {
	local digest
	digest=$(cksum <"$REF")
	I=$(realpath -m "$1")/${digest// /-}
	mkdir -p "$I"
	[ -s "$I/ref.fa" ] || case $REF in *.gz) gzip -dc "$REF" >"$I/ref.fa" ;; *) ln -sfn "$REF" "$I/ref.fa" ;; esac
}

# read_length FASTQ is the mean of its first 500 reads, as strobealign has it.
read_length() {
	{ gzip -dcf "$1" 2>/dev/null || true; } | awk 'NR % 4 == 2 { sum += length($0); n++ } n == 500 { exit } END { printf "%.0f\n", n ? sum / n : 0 }'
}

# build_index makes what a tool needs, once for each version; ours each time, since it changes with the code.
build_index() {
	local tool=$1 mark=$I/$1.done version
	[ "$tool" = strobealign ] && mark=$I/strobealign-r$L.done
	version=$(tool_version "$tool")
	[ "$tool" != alignpipe ] && [ -e "$mark" ] && [ "$(cat "$mark")" = "$version" ] && return
	echo "indexing $(basename "$REF") for $tool" >&2
	quietly "$(tool_index "$tool")" || die "$tool cannot index $REF"
	echo "$version" >"$mark"
}

# --- running

# A command line runs without splitting or globbing of its variables, since names may hold blanks, and fails when any part of it does.
shell=(bash -f -o pipefail -c)

# quietly LINE [PROGRAM...] runs a command line, by way of a program, and shows what it said only when it fails.
quietly() {
	local line=$1
	shift
	"$@" "${shell[@]}" "IFS=; $line" >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; return 1; }
}

# warm TOOL reads what a run will read, so that it does not wait for a cold disk.
warm() {
	cat "$R1" "$R2" >/dev/null
	find -L "$I" -type f -path "$I/$(tool_files "$1")" -exec cat {} + >/dev/null
	sync
}

# timed LINE prints wall, user and system seconds of all its processes, and KiB of the largest.
timed() {
	quietly "$1" /usr/bin/time -o "$work/time" -f '%e %U %S %M' || return 1
	cat "$work/time"
}

# first_pairs FASTQ N
first_pairs() {
	{ gzip -dcf "$1" || true; } 2>/dev/null | head -n $((4 * $2)) | gzip -1
}

# --- what a table says of how it came to be

machine() {
	local cpu
	cpu=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
	echo "${cpu:-$(uname -m)}, $(nproc) CPUs, $(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GiB," \
		"Linux $(uname -r), $(go env GOVERSION), $(samtools --version | sed 1q)"
}

# commit names the code; tables that were measured and not yet committed do not make it dirty.
commit() {
	local name
	name=$(git -C "$here" describe --always 2>/dev/null) || { echo unknown && return; }
	git -C "$here" diff --quiet HEAD -- "$here/.." ":(exclude,top)benchmarks/results" || name+=-dirty
	echo "$name"
}
