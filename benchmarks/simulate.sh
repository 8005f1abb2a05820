#!/usr/bin/env bash
# Makes the simulated sets that the benchmarks name: reads, with the true alignment of each.
#
#   benchmarks/simulate.sh CACHE chr20|ecoli [--pairs N] [--seed S]
#
#   chr20   human chromosome 20 (GRCh37, 63,025,520 bp), SNP rate 0.0012, small indels 0.0002
#   ecoli   E. coli 536 (4,938,920 bp),                  SNP rate 0.002,  small indels 0.0003
#
# Pairs of 2x150 from fragments of 400 +/- 80; 500,000 of them by default. References come from Debian packages, which are
# downloaded and unpacked in CACHE and not installed; so is mason (seqan-apps) where it is missing, and it then needs its
# libraries: libbz2-1.0, libgomp1, libstdc++6, zlib1g. Also needs samtools for the .fai.
# Results: CACHE/SET.fa and CACHE/SET-pN-sS_{1,2}.fq.gz, _truth.bam, _variants.vcf. What is there already is kept.
set -euo pipefail

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }
die() { echo "simulate: error: $*" >&2; exit 1; }

[ $# -ge 2 ] || usage
cache=$1 set=$2 pairs=500000 seed=1
shift 2
while [ $# -gt 0 ]; do
	[ $# -ge 2 ] || usage
	case $1 in
	--pairs) pairs=$2 ;;
	--seed) seed=$2 ;;
	*) usage ;;
	esac
	shift 2
done
case $set in
chr20) package=vt-examples file=usr/share/doc/vt/examples/ref/20.fa.gz snps=0.0012 indels=0.0002 ;;
ecoli) package=bowtie-examples file=usr/share/doc/bowtie/examples/genomes/NC_008253.fna.gz snps=0.002 indels=0.0003 ;;
*) usage ;;
esac
mkdir -p "$cache"
cache=$(realpath "$cache")

# unpack PACKAGE puts a Debian package's files under CACHE/debs.
unpack() {
	mkdir -p "$cache/debs"
	(cd "$cache/debs" && apt-get -q download "$1" 2>/dev/null) || die "apt-get download $1 failed (apt-get update first?)"
	dpkg-deb -x "$cache/debs/$1"_*.deb "$cache/debs"
}

# quietly COMMAND... shows what the command said only when it fails.
quietly() { "$@" >"$part.log" 2>&1 || { cat "$part.log" >&2; die "$1 failed"; }; }

# mason NAME finds a program of mason: on the PATH, where Debian has it, or in the cache.
mason() {
	local dir
	command -v "$1" && return
	for dir in /usr/lib/seqan/bin "$cache/debs/usr/lib/seqan/bin"; do
		[ -x "$dir/$1" ] && echo "$dir/$1" && return
	done
	unpack seqan-apps >&2
	echo "$cache/debs/usr/lib/seqan/bin/$1"
}

fa=$cache/$set.fa
if [ ! -s "$fa" ]; then
	[ -s "$cache/debs/$file" ] || unpack "$package"
	gzip -dc "$cache/debs/$file" >"$fa.part"
	mv "$fa.part" "$fa"
fi
[ -s "$fa.fai" ] || samtools faidx "$fa"

out=$cache/$set-p$pairs-s$seed
if [ ! -s "${out}_truth.bam" ]; then
	part=$cache/part-$set-$$ # mason goes by the endings, so the name in between differs
	trap 'rm -f "$part"*' EXIT
	variator=$(mason mason_variator) simulator=$(mason mason_simulator)
	quietly "$variator" -s "$seed" -ir "$fa" -ov "$part.vcf" --snp-rate "$snps" --small-indel-rate "$indels" \
		--sv-indel-rate 0 --sv-inversion-rate 0 --sv-translocation-rate 0 --sv-duplication-rate 0
	# The number of threads and the chunk are part of the recipe: each thread draws from its own seed.
	quietly "$simulator" --seed "$seed" --num-threads 2 --chunk-size 65536 -n "$pairs" -ir "$fa" -iv "$part.vcf" \
		--illumina-read-length 150 --fragment-mean-size 400 --fragment-size-std-dev 80 \
		-o "${part}_1.fq" -or "${part}_2.fq" -oa "${part}_truth.bam"
	gzip -1 "${part}_1.fq" "${part}_2.fq"
	mv "$part.vcf" "${out}_variants.vcf"
	mv "${part}_1.fq.gz" "${out}_1.fq.gz"
	mv "${part}_2.fq.gz" "${out}_2.fq.gz"
	mv "${part}_truth.bam" "${out}_truth.bam"
fi
printf '%s\n' "$fa" "${out}_1.fq.gz" "${out}_2.fq.gz" "${out}_truth.bam"
