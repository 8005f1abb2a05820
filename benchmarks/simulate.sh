#!/usr/bin/env bash
# Makes the simulated sets that the benchmarks name: reads, with the true alignment of each.
#
#   benchmarks/simulate.sh CACHE SET [--pairs N] [--seed S] [--length L] [--single] [--snps RATE] [--error RATE] [--reference FASTA]
#
#   chr20    human chromosome 20 (GRCh37, 63,025,520 bp)        SNP rate 0.0012  small indels 0.0002
#   ecoli    E. coli 536 (4,938,920 bp)                         0.002            0.0003
#   ecoli2   E. coli MG1655 and DH1, near duplicates, together  0.002            0.0003
#   fly      D. melanogaster chr2R (21,146,708 bp)              0.005            0.0005
#   yeast    S. cerevisiae, which --reference names             0.003            0.0003
#
# Pairs of 2x150 from fragments of 400 +/- 80 (300 +/- 60 for lengths up to 50, 600 +/- 100 from 250); 500,000 by default.
# --single reads one end of each fragment only. --error is the mean rate of sequencing errors a base; mason's own is 0.004.
# References come from Debian packages, which are downloaded and unpacked in CACHE and not installed; yeast is in none, so give
# its FASTA, plain or gzip, once. So is mason (seqan-apps) where it is missing, and it then needs its libraries: libbz2-1.0,
# libgomp1, libstdc++6, zlib1g. Also needs samtools for the .fai.
# --pairs 0 makes the reference only.
# Results: CACHE/SET.fa and CACHE/SET[-SHAPE]-pN-sS_{1,2}.fq.gz, _truth.bam, _variants.vcf, where SHAPE names what is not the
# default, as in chr20-1x100-snp0.01-err0.01. Their paths go to stdout. What is there already is kept.
set -euo pipefail

usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 64; }
die() { echo "simulate: error: $*" >&2; exit 1; }

[ $# -ge 2 ] || usage
cache=$1 set=$2 pairs=500000 seed=1 length=150 mates=2 snps='' error='' reference=''
shift 2
while [ $# -gt 0 ]; do
	case $1 in
	--single) mates=1 && shift && continue ;;
	esac
	[ $# -ge 2 ] || usage
	case $1 in
	--pairs) pairs=$2 ;;
	--seed) seed=$2 ;;
	--length) length=$2 ;;
	--snps) snps=$2 ;;
	--error) error=$2 ;;
	--reference) reference=$2 ;;
	*) usage ;;
	esac
	shift 2
done

shape=''
[ "${mates}x$length" = 2x150 ] || shape=-${mates}x$length
shape+=${snps:+-snp$snps}${error:+-err$error}
ragout=usr/share/doc/ragout/examples/E.Coli/references
case $set in # files: where the package has them, and the names that their sequences get, if new
chr20) package=vt-examples files=(usr/share/doc/vt/examples/ref/20.fa.gz) usual=0.0012 indels=0.0002 ;;
ecoli) package=bowtie-examples files=(usr/share/doc/bowtie/examples/genomes/NC_008253.fna.gz) usual=0.002 indels=0.0003 ;;
ecoli2) package=ragout-examples files=("$ragout/MG1655-K12.fasta.gz MG1655" "$ragout/DH1.fasta.gz DH1") usual=0.002 indels=0.0003 ;;
fly) package=augustus-doc files=(usr/share/doc/augustus/tutorial/data/chr2R.fa) usual=0.005 indels=0.0005 ;;
yeast) package='' files=() usual=0.003 indels=0.0003 ;;
*) usage ;;
esac
snps=${snps:-$usual}
if [ "$length" -le 50 ]; then
	fragment=(300 60)
elif [ "$length" -ge 250 ]; then
	fragment=(600 100)
else
	fragment=(400 80)
fi
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

# sequences FILE [NAME] writes a FASTA file, plain or gzip, to stdout; the names in it become NAME.
sequences() { gzip -dcf "$1" | sed "${2:+s/^>.*/>$2/}"; }

fa=$cache/$set.fa
if [ ! -s "$fa" ]; then
	if [ -n "$reference" ]; then
		sequences "$reference" >"$fa.part"
	else
		[ -n "$package" ] || die "no package has the reference of $set: give --reference FASTA"
		for entry in "${files[@]}"; do
			read -r file name <<<"$entry"
			[ -s "$cache/debs/$file" ] || unpack "$package"
			sequences "$cache/debs/$file" "$name"
		done >"$fa.part"
	fi
	mv "$fa.part" "$fa"
fi
[ -s "$fa.fai" ] || samtools faidx "$fa"
[ "$pairs" != 0 ] || { echo "$fa" && exit; }

out=$cache/$set$shape-p$pairs-s$seed
if [ ! -s "${out}_truth.bam" ]; then
	part=$cache/part-$set-$$ # mason goes by the endings, so the name in between differs
	trap 'rm -f "$part"*' EXIT
	variator=$(mason mason_variator) simulator=$(mason mason_simulator)
	quietly "$variator" -s "$seed" -ir "$fa" -ov "$part.vcf" --snp-rate "$snps" --small-indel-rate "$indels" \
		--sv-indel-rate 0 --sv-inversion-rate 0 --sv-translocation-rate 0 --sv-duplication-rate 0
	options=(--illumina-read-length "$length" --fragment-mean-size "${fragment[0]}" --fragment-size-std-dev "${fragment[1]}")
	[ -z "$error" ] || options+=(--illumina-prob-mismatch-scale "$(awk -v e="$error" 'BEGIN { print e / 0.004 }')")
	[ "$mates" = 1 ] || options+=(-or "${part}_2.fq")
	# The number of threads and the chunk are part of the recipe: each thread draws from its own seed.
	quietly "$simulator" --seed "$seed" --num-threads 2 --chunk-size 65536 -n "$pairs" -ir "$fa" -iv "$part.vcf" \
		"${options[@]}" -o "${part}_1.fq" -oa "${part}_truth.bam"
	gzip -1 "$part"_[12].fq
	mv "$part.vcf" "${out}_variants.vcf"
	for mate in $(seq "$mates"); do mv "${part}_$mate.fq.gz" "${out}_$mate.fq.gz"; done
	mv "${part}_truth.bam" "${out}_truth.bam" # last: it says that the set is complete
fi
printf '%s\n' "$fa" "${out}_1.fq.gz"
[ "$mates" = 1 ] || printf '%s\n' "${out}_2.fq.gz"
printf '%s\n' "${out}_truth.bam"
