# Shared by the tests of this folder: a scratch directory, checks that count,
# a case with keys.  Sourced with `. tests/cli/lib.sh`.
# shellcheck shell=bash disable=SC2034
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
TOP=$(pwd)
EXHIBIT=$BUILD/exhibit
VERIFY=$BUILD/exhibit-verify
COLLECT=$BUILD/exhibit-collect
SAMPLES=$BUILD/samples
T=$(mktemp -d)
trap 'chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
checks=0
failures=0

# check NAME COMMAND...: the command must succeed.
check()
{
	local name=$1
	shift
	checks=$((checks + 1))
	if ! "$@" >"$T/.out" 2>&1; then
		failures=$((failures + 1))
		echo "FAILED: $name"
		echo "  command: $*"
		tail -n 10 "$T/.out" | sed 's/^/  | /'
	fi
}

# exits CODE NAME COMMAND...: the command must exit with this code.
exits()
{
	local want=$1 name=$2 rc
	shift 2
	checks=$((checks + 1))
	"$@" >"$T/.out" 2>"$T/.err"
	rc=$?
	if [ "$rc" -ne "$want" ]; then
		failures=$((failures + 1))
		echo "FAILED: $name: exit $rc, not $want"
		echo "  command: $*"
		tail -n 10 "$T/.out" "$T/.err" | sed 's/^/  | /'
	fi
}

same()
{
	checks=$((checks + 1))
	if [ "$2" != "$3" ]; then
		failures=$((failures + 1))
		printf 'FAILED: %s: got %q, want %q\n' "$1" "$2" "$3"
	fi
}

# has NAME FILE TEXT: the file holds this text; hasnt: it does not.
has()
{
	checks=$((checks + 1))
	grep -qF -- "$3" "$2" && return
	failures=$((failures + 1))
	echo "FAILED: $1: '$3' is not in"
	head -c 2000 "$2" | tail -n 10 | sed 's/^/  | /'
}

hasnt()
{
	checks=$((checks + 1))
	grep -qF -- "$3" "$2" || return
	failures=$((failures + 1))
	echo "FAILED: $1: '$3' is there"
}

# can_trace: without strace the test is skipped.
can_trace()
{
	strace -f -o "$T/trace" true 2>/dev/null && return
	echo "SKIP: strace cannot trace here"
	exit 77
}

# note_tree ROOT: what lies below it, with access times of long ago, so that
# an access would show; tree_times: what is to stay as it is.
note_tree()
{
	# The list is made first: listing a folder changes its atime.
	mapfile -d '' -t tree < <(find "$1" -print0 | LC_ALL=C sort -z)
	touch -h -a -d '2020-01-01 00:00:00' "${tree[@]}"
}

tree_times()
{
	local f
	for f in "${tree[@]}"; do
		# The atime of a link whose target had to be read is recorded
		# instead of kept.
		if [ -L "$f" ]; then
			stat -c '%n %Y %Z %i' "$f"
		else
			stat -c '%n %x %y %z %i %a %s' "$f"
		fi
	done
}

# writes_below TRACE ROOT: calls of an `strace -f -y` that write on ROOT or
# below it, map, lock or mark what lies there, or open it for more than
# reading: by a path that they are given or by a descriptor.
writes_below()
{
	local root fds paths opens
	root=$(printf '%s' "$2" | sed 's/[.[\*^$]/\\&/g')
	fds='write|pwrite64|writev|pwritev|pwritev2|ftruncate|fchmod|fchown'
	fds="$fds|fsetxattr|fremovexattr|fallocate|sendfile|futimesat|splice"
	fds="$fds|flock|fsync|fdatasync|sync_file_range"
	paths='truncate|rename|renameat|renameat2|unlink|unlinkat|mkdir'
	paths="$paths|mkdirat|rmdir|link|linkat|symlink|symlinkat|chmod"
	paths="$paths|fchmodat|fchmodat2|chown|fchownat|lchown|utimensat"
	paths="$paths|utime|utimes|setxattr|lsetxattr|removexattr"
	paths="$paths|lremovexattr|mknod|mknodat|creat|mount|umount2"
	paths="$paths|inotify_add_watch|fanotify_mark"
	opens='O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE'
	{
		grep -E "^[0-9]+ +($fds)\(([0-9]+|AT_FDCWD)<$root" "$1"
		grep -E "^[0-9]+ +($paths)\(.*(\"|<)$root" "$1"
		grep -E "^[0-9]+ +copy_file_range\(.*, [0-9]+<$root" "$1"
		grep -E "^[0-9]+ +mmap\(.*<$root" "$1"
		grep -E "^[0-9]+ +ioctl\([0-9]+<$root.*(SETFLAGS|SETXATTR|CLONE|DEDUPE)" "$1"
		grep -E "^[0-9]+ +fcntl\([0-9]+<$root.*(SETLK|SETLEASE|NOTIFY)" "$1"
		grep -E "^[0-9]+ +(open|openat|openat2)\(.*(\"|<)$root" "$1" |
		    grep -E "$opens"
	} | cut -c1-300
}

finish()
{
	echo "$checks checks, $failures failed"
	[ "$failures" -eq 0 ] && [ "$checks" -gt 0 ]
	exit $?
}

# A case in $T/case with keys in $T/keys.
make_case()
{
	"$EXHIBIT" keygen "$T/keys" --name "Test Examiner" 2>/dev/null &&
	    "$EXHIBIT" case new "$T/case" --name "${1:-TEST}" \
	        --examiner "Test Examiner" --keys "$T/keys"
}

# A source tree with odd names in $T/src.
make_tree()
{
	mkdir -p "$T/src/dir with space/ü"
	printf 'weights\n' >"$T/src/model.bin"
	printf 'odd\n' >"$T/src/dir with space/ü/a%b.txt"
	printf 'newline\n' >"$T/src/$(printf 'nl\nname')"
	printf 'bytes\n' >"$T/src/$(printf 'bad\377\376.bin')"
	printf 'equals\n' >"$T/src/a=b"
	: >"$T/src/empty"
	ln -s model.bin "$T/src/link"
	mkfifo "$T/src/fifo"
	ln "$T/src/model.bin" "$T/src/hard"
	truncate -s 100000 "$T/src/sparse"
	printf 'x' | dd of="$T/src/sparse" bs=1 seek=50000 conv=notrunc 2>/dev/null
	long=$(printf 'n%.0s' $(seq 1 120))
	printf 'long\n' >"$T/src/$long"
}
