#!/bin/bash
# A collection writes nothing on the source and leaves its times alone.
. tests/cli/lib.sh
check "case" make_case
make_tree
setfattr -n user.note -v kept "$T/src/model.bin" 2>/dev/null
# The list is made first: listing a folder changes its atime.
mapfile -d '' -t all < <(find "$T/src" -print0 | LC_ALL=C sort -z)
touch -h -a -d '2020-01-01 00:00:00' "${all[@]}"
times()
{
	local f
	for f in "${all[@]}"; do
		# The atime of a link whose target had to be read is recorded
		# instead of kept.
		if [ -L "$f" ]; then
			stat -c '%n %Y %Z %i' "$f"
		else
			stat -c '%n %x %y %z %i %a %s' "$f"
		fi
	done
}
before=$(times)
if ! strace -f -o "$T/trace" true 2>/dev/null; then
	echo "SKIP: strace cannot trace here"
	exit 77
fi
strace -f -y -s 256 -o "$T/trace" "$EXHIBIT" collect --case "$T/case" \
    --weights "$T/src" >/dev/null 2>"$T/err"
same "collect exits 0" "$?" 0
after=$(times)
same "times, inodes, modes are unchanged" "$after" "$before"

# No write-type call names the source: path arguments and descriptors (-y).
src=$(printf '%s' "$T/src" | sed 's/[.[\*^$]/\\&/g')
grep -E "^[0-9]+ +(write|pwrite64|writev|pwritev|pwritev2|ftruncate|fchmod|fchown|fsetxattr|fremovexattr|fallocate|copy_file_range|sendfile|futimesat)\\(([0-9]+|AT_FDCWD)<$src" \
    "$T/trace" >"$T/writes"
grep -E "^[0-9]+ +(truncate|rename|renameat|renameat2|unlink|unlinkat|mkdir|mkdirat|rmdir|link|linkat|symlink|symlinkat|chmod|fchmodat|chown|fchownat|lchown|utimensat|utime|utimes|setxattr|lsetxattr|removexattr|lremovexattr|mknod|mknodat)\\(.*(\"|<)$src" \
    "$T/trace" >>"$T/writes"
grep -E "^[0-9]+ +mmap\\(.*<$src" "$T/trace" >>"$T/writes"
same "no write-type call on the source" "$(cat "$T/writes")" ""
grep -E "^[0-9]+ +(open|openat|openat2)\(" "$T/trace" | grep -E "\"$src|<$src" |
    grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND' >"$T/opens"
same "the source is opened for reading only" "$(cat "$T/opens")" ""
checks=$((checks + 1))
grep -E "openat2?\(.*<$src" "$T/trace" | grep -q 'O_NOATIME' || {
	echo "FAILED: files are not opened with O_NOATIME"
	failures=$((failures + 1))
}
finish
