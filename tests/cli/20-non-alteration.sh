#!/bin/bash
# A collection writes nothing on the source and leaves its times alone.
. tests/cli/lib.sh
check "case" make_case
make_tree
setfattr -n user.note -v kept "$T/src/model.bin" 2>/dev/null
find "$T/src" -exec touch -h -a -d '2020-01-01 00:00:00' {} +
times()
{
	# The atime of a link whose target had to be read is recorded instead.
	find "$T/src" ! -type l -printf '%p %A@ %T@ %C@ %i %m %s\n' | LC_ALL=C sort
	find "$T/src" -type l -printf '%p %T@ %C@ %i\n'
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
grep -E "^[0-9]+ +(write|pwrite64|writev|pwritev|ftruncate|truncate|rename|renameat|renameat2|unlink|unlinkat|mkdir|mkdirat|link|linkat|symlink|symlinkat|chmod|fchmod|fchmodat|chown|fchown|fchownat|lchown|utimensat|utime|utimes|futimesat|setxattr|lsetxattr|fsetxattr|removexattr|mknod|mknodat|fallocate|copy_file_range|sendfile|mmap|splice)\(" \
    "$T/trace" | grep -E "[<\"]$src" | grep -v 'mmap(.*PROT_READ, MAP_PRIVATE.*\.so' >"$T/writes"
same "no write-type call on the source" "$(cat "$T/writes")" ""
grep -E "(open|openat|openat2)\(" "$T/trace" | grep -E "\"$src|<$src" |
    grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND' >"$T/opens"
same "the source is opened for reading only" "$(cat "$T/opens")" ""
checks=$((checks + 1))
grep -E "openat2?\(.*<$src" "$T/trace" | grep -q 'O_NOATIME' || {
	echo "FAILED: files are not opened with O_NOATIME"
	failures=$((failures + 1))
}
finish
