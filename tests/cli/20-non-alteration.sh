#!/bin/bash
# A collection writes nothing on the source and leaves its times alone.
. tests/cli/lib.sh
can_trace
check "case" make_case
make_tree
setfattr -n user.note -v kept "$T/src/model.bin" 2>/dev/null
note_tree "$T/src"
before=$(tree_times)
strace -f -y -s 256 -o "$T/trace" "$EXHIBIT" collect --case "$T/case" \
    --weights "$T/src" >/dev/null 2>"$T/err"
same "collect exits 0" "$?" 0
same "times, inodes, modes are unchanged" "$(tree_times)" "$before"
same "no write-type call on the source" "$(writes_below "$T/trace" "$T/src")" ""
check "files are opened with O_NOATIME" \
    grep -qE "openat2?\(.*<$T/src.*O_NOATIME" "$T/trace"

# The greps see what they look for.
cp -r "$T/src/dir with space" "$T/other"
note_tree "$T/other"
# shellcheck disable=SC2016 # of the other shell
strace -f -y -s 256 -o "$T/trace" bash -c 'cd "$1" && : >>new && mv new moved &&
    touch moved && ln moved linked && chmod 600 linked && rm linked moved
    echo x 1<>ü/a%b.txt' bash "$T/other" 2>/dev/null
for call in O_WRONLY O_RDWR 'rename' 'utimensat' 'link' 'fchmodat' 'unlink' \
    'write('; do
	check "seen: $call" grep -qF "$call" <(writes_below "$T/trace" \
	    "$T/other")
done
mkdir -p "$T/own/w"
echo x >"$T/own/w/a"
exits 2 "a bundle that is written into its source" "$EXHIBIT" collect \
    --case "$T/case" --weights "$T/own" -o "$T/own/w/b.tar"
"$EXHIBIT" cat "$T/own/w/b.tar" metadata/errors.jsonl >"$T/own.errors"
has "is said" "$T/own.errors" "alters its own source"
finish
