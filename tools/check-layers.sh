#!/bin/bash
# Layers are strict: which folder may include which header, which library a
# folder's objects may call, what the small programs must not contain.
set -u
BUILD=${BUILD:-build}
bad=0

complain()
{
	echo "check-layers: $*"
	bad=$((bad + 1))
}

# folder: folders whose headers it may include
declare -A may=(
	[base]="base"
	[formats]="base formats"
	[custody]="base custody"
	[collector]="base custody collector"
	[analyzer]="base formats custody analyzer"
	[cli]="base formats custody collector analyzer cli"
)
# Headers of custody's write side: never in analyzer.
write_side="evidence_write.h sign.h tstamp.h keygen.h ledger.h case.h tsa_http.h case_log.h"
# Parsers: cli may use the registry's neighbours only.
cli_formats="formats/magic.h formats/yara.h formats/format.h"

for folder in "${!may[@]}"; do
	for f in "$folder"/*.[ch] "$folder"/*/*.[ch]; do
		[ -e "$f" ] || continue
		while read -r inc; do
			from=${inc%%/*}
			case " ${may[$folder]} " in
			*" $from "*) ;;
			*) complain "$f includes $inc" ;;
			esac
			if [ "$folder" = analyzer ]; then
				case " $write_side " in
				*" ${inc#custody/} "*) complain "$f includes $inc" ;;
				esac
			fi
			if [ "$folder" = cli ] && [ "$from" = formats ]; then
				case " $cli_formats " in
				*" $inc "*) ;;
				*) complain "$f includes $inc" ;;
				esac
			fi
		done < <(sed -n 's/^#include "\(.*\)"$/\1/p' "$f" | grep -v '\.def$')
	done
done

# Foreign libraries: header pattern, and the only files that may include it.
foreign()
{
	local pattern=$1 allowed=$2 f
	while read -r f; do
		case " $allowed " in
		*" $f "*) ;;
		*) complain "$f includes <$pattern>" ;;
		esac
	done < <(grep -lE "^#include <$pattern>" base/*.[ch] formats/*.[ch] \
	    formats/*/*.[ch] collector/*.[ch] analyzer/*.[ch] analyzer/*/*.[ch] \
	    cli/*.[ch])
}
foreign 'openssl/.*' ""
foreign 'sqlite3\.h' "formats/reg/sqlitedb.c formats/reg/sqlitevfs.h"
foreign 'archive(_entry)?\.h' "formats/unpack.c formats/unpack_stream.c"
foreign 'magic\.h' "formats/magic.c"
foreign 'zlib\.h' "formats/codec.c formats/unpack_stream.c"
foreign 'yaml\.h' "formats/yamldoc.c collector/plan_yaml.c"
foreign '(snappy-c|zstd|lz4|brotli/decode)\.h' "formats/codec_pages.c"
foreign 'png\.h' "formats/pixels_png.c"
foreign 'j(peglib|error)\.h' "formats/pixels_jpeg.c"
foreign 'curl/.*' "cli/fetch_http.c"
foreign 'git2.*' "analyzer/intake/gitrepo.c analyzer/intake/gitlog.c analyzer/intake/githead.c"

# Only base touches hostile bytes through pointers: no struct casts from
# byte buffers and no mmap elsewhere, but for the numeric pass of diff.
while read -r hit; do
	complain "mmap: $hit"
done < <(grep -snE '\bmmap\(' formats/*.c formats/*/*.c custody/*.c collector/*.c analyzer/*.c analyzer/*/*.c cli/*.c |
    grep -v '^analyzer/diff/mapping\.c:')

# What the two small programs must not contain.
contains()
{
	nm -C "$1" 2>/dev/null | grep -qE " [Tt] ($2)"
}
if [ -x "$BUILD/exhibit-verify" ]; then
	contains "$BUILD/exhibit-verify" 'sqlite3_open|pickle_|registry_bids|signer_sign|evidence_finish|ledger_' &&
	    complain "exhibit-verify links more than the read side"
fi
if [ -x "$BUILD/exhibit-collect" ]; then
	contains "$BUILD/exhibit-collect" 'pickle_|registry_bids|safetensors|zip_dir|magic_buffer|archive_read' &&
	    complain "exhibit-collect links a format parser"
fi
# Layers by symbol: formats use libc, base and their decoders alone.
if [ -f "$BUILD/libformats.a" ]; then
	while read -r sym; do
		complain "formats call $sym"
	done < <(nm -u "$BUILD/libformats.a" 2>/dev/null |
	    sed -n 's/^ *U //p' | sort -u |
	    grep -E '^(open|openat|socket|fork|execve|getenv|time|clock_gettime|printf|puts|EVP_|CMS_|evidence_|ledger_)')
fi

if [ "$bad" -gt 0 ]; then
	echo "check-layers: $bad violations"
	exit 1
fi
echo "check-layers: ok"
