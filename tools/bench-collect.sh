#!/bin/bash
# Collecting as a ratio against tar over the same tree in the same run: many
# small files, then one large one; listing; memory of every process of ours.
# BENCH_DIR chooses the disk, BENCH_FILES the files (200000), BENCH_LARGE_MIB
# the size of the large one (4096).  The sources are in the cache for both.
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
exhibit=$build/exhibit
files=${BENCH_FILES:-200000}
large=${BENCH_LARGE_MIB:-4096}
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT

now() { date +%s.%N; }
took() { echo "$(now) $1" | awk '{ printf "%.2f", $1 - $2 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
say() { printf '%-34s %8s s  %s\n' "$1" "$2" "${*:3}"; }

cat >"$dir/peak.py" <<'P'
# Run a command; the largest resident set of each process that it had, by
# looking 50 times a second (the kernel keeps the peak of each), and what the
# command itself came to from wait4.
import os, subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
peak = {}
def below(pid):
    try:
        for t in os.listdir(f"/proc/{pid}/task"):
            for c in open(f"/proc/{pid}/task/{t}/children").read().split():
                yield c
                yield from below(c)
    except OSError:
        pass
while True:
    done, status, usage = os.wait4(p.pid, os.WNOHANG)
    if done:
        break
    for pid in [str(p.pid), *below(p.pid)]:
        try:
            for line in open(f"/proc/{pid}/status"):
                if line.startswith("VmHWM:"):
                    peak[pid] = max(peak.get(pid, 0), int(line.split()[1]))
        except (OSError, ProcessLookupError):
            pass
    time.sleep(0.02)
# ru_maxrss is of the command and those that it has waited for.
each = sorted(peak.values(), reverse=True)
print(sys.argv[1], "%d KiB;" % max(usage.ru_maxrss, *each), "of each process:",
    *each)
sys.exit(os.waitstatus_to_exitcode(status))
P
peak() { /usr/bin/python3 "$dir/peak.py" "$@"; }

"$exhibit" keygen "$dir/keys" 2>/dev/null
"$exhibit" case new "$dir/case" --name BENCH --examiner bench \
    --keys "$dir/keys"

# against_tar ROOT: the ratio, several times over, since machines are shared.
against_tar()
{
	local i stock ours bundle
	find "$1" -type f -print0 | xargs -0 cat >/dev/null
	for i in 1 2 3; do
		t=$(now)
		tar cf - -C "$1" . | sha256sum >/dev/null
		hashed=$(took "$t")
		t=$(now)
		tar cf "$dir/stock.tar" -C "$1" .
		sync "$dir/stock.tar"
		stock=$(took "$t")
		rm "$dir/stock.tar"
		t=$(now)
		bundle=$("$exhibit" collect -v --case "$dir/case" --weights "$1" \
		    2>"$dir/log")
		ours=$(took "$t")
		copy=$(sed -n \
		    's/.*copied and synced in \([0-9.]*\) seconds.*/\1/p' \
		    "$dir/log")
		say "$i: tar | sha256sum" "$hashed"
		say "$i: tar, sync" "$stock"
		say "$i: collect, sealed and read back" "$ours" \
		    "$(ratio "$stock" "$ours") of tar's rate"
		say "$i:   of it copied and synced" "$copy" \
		    "$(ratio "$stock" "$copy") of tar's rate," \
		    "$(ratio "$hashed" "$copy") of tar | sha256sum's"
		t=$(now)
		"$exhibit" verify -q --case "$dir/case" "$bundle" >/dev/null
		say "$i: verify" "$(took "$t")"
		[ "$i" = 3 ] || rm -f "$bundle"
	done
	last=$bundle
}

echo "$files small files"
/usr/bin/python3 - "$dir/many" "$files" <<'P'
import os, sys
root, n = sys.argv[1], int(sys.argv[2])
for i in range(n):
    if i % 1000 == 0:
        d = "%s/%03d" % (root, i // 1000)
        os.makedirs(d)
    with open("%s/file-%06d.json" % (d, i), "w") as f:
        f.write('{"n": %d, "text": "%s"}\n' % (i, "x" * (i % 2000)))
P
against_tar "$dir/many"
t=$(now)
"$exhibit" list -q "$last" >/dev/null
say "list, warm" "$(took "$t")"
# Not one page of the bundle in memory; the program stays warm.
dd if="$last" iflag=nocache count=0 2>/dev/null
t=$(now)
"$exhibit" list -q "$last" >/dev/null
say "list, cold bundle" "$(took "$t")"
limit=$((64 * 1024 + files * 200 / 1024))
peak "collect: at most (limit $limit KiB)" "$exhibit" collect \
    --case "$dir/case" --weights "$dir/many"
peak "verify: at most" "$exhibit" verify -q --case "$dir/case" "$last"
peak "list: at most" "$exhibit" list -q "$last"
rm -rf "$dir/many"
chmod -R u+w "$dir/case"
rm -f "$dir"/case/bundles/*.tar

echo "one file of $large MiB"
mkdir "$dir/one"
head -c "${large}M" /dev/urandom >"$dir/one/model.bin"
against_tar "$dir/one"
peak "collect: at most" "$exhibit" collect --case "$dir/case" \
    --weights "$dir/one"
