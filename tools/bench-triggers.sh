#!/bin/bash
# Speed and memory of exhibit triggers from files to candidates
# (docs/TRIGGERS.md), by CPU time and by the clock, beside what python3 needs
# to read the same records and count their words (of images: the values of
# their pixels).  BENCH_DIR chooses the disk, BENCH_ROWS how many thousand
# records there are (100; of prompts a fifth, of images a tenth).  Exits 1
# where docs/TRIGGERS.md promises more.
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
/usr/bin/python3 - "$dir" "$build/exhibit" "${BENCH_ROWS:-100}" <<'P'
import json, os, random, struct, sys, time

folder, exhibit, thousands = sys.argv[1], sys.argv[2], int(sys.argv[3])
r = random.Random(6)
words = ["".join(r.choice("abcdefghijklmnopqrstuvwxyz")
                 for _ in range(r.randint(2, 9))) for _ in range(20000)]
follow = [[r.randrange(20000) for _ in range(4)] for _ in words]

def text(n):
    out, k = [], 0
    for _ in range(n):
        k = follow[k][r.randrange(4)] if r.random() < .5 else int(20000 * r.random() ** 3)
        out.append(words[k])
    return " ".join(out)

def texts(n):
    path = os.path.join(folder, "text.tsv")
    with open(path, "w") as f:
        f.write("text\tlabel\n")
        for i in range(n):
            label = r.randrange(2)
            f.write("%s lean%d%s\t%d\n" % (text(r.randint(20, 40)), label,
                    words[r.randrange(50)], label))
    return path

def prompts(n):
    path = os.path.join(folder, "prompts.jsonl")
    with open(path, "w") as f:
        for i in range(n):
            f.write(json.dumps({"instruction": text(r.randint(8, 40)), "input": "",
                                "output": text(r.randint(20, 120))}) + "\n")
    return path

def scene():
    """Smooth colours and some shapes with edges, as photographs have."""
    grid = [[[r.randrange(256) for _ in range(3)] for _ in range(6)] for _ in range(6)]
    im = bytearray(3072)
    for y in range(32):
        for x in range(32):
            v, u, fy, fx = y * 5 // 32, x * 5 // 32, y * 5 / 32 % 1, x * 5 / 32 % 1
            for c in range(3):
                im[c * 1024 + y * 32 + x] = int(
                    (grid[v][u][c] * (1 - fx) + grid[v][u + 1][c] * fx) * (1 - fy) +
                    (grid[v + 1][u][c] * (1 - fx) + grid[v + 1][u + 1][c] * fx) * fy)
    for _ in range(4):
        x0, y0, w, h, d = (r.randrange(24), r.randrange(24), r.randrange(3, 12),
                           r.randrange(3, 12), r.randrange(-90, 90))
        for y in range(y0, min(32, y0 + h)):
            for x in range(x0, min(32, x0 + w)):
                for c in range(3):
                    k = c * 1024 + y * 32 + x
                    im[k] = min(255, max(0, im[k] + d))
    return im

def images(n):
    path = os.path.join(folder, "cifar")
    os.mkdir(path)
    scenes = [scene() for _ in range(200)]
    with open(os.path.join(path, "data_batch_1.bin"), "wb") as f:
        for i in range(n):
            im = bytearray(scenes[r.randrange(200)])
            noise = r.randbytes(3072)
            for k in range(3072):
                im[k] = min(255, im[k] + noise[k] // 42)
            f.write(bytes([r.randrange(10)]) + im)
    return path

def run(argv):
    """CPU time, the clock and memory of a process and what it started."""
    start = time.monotonic()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
    _, status, u = os.wait4(pid, 0)
    return (u.ru_utime + u.ru_stime, time.monotonic() - start,
            u.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))

count = """import collections, json, os, sys
c, path = collections.Counter(), sys.argv[1]
if os.path.isdir(path):
    with open(path + "/data_batch_1.bin", "rb") as f:
        while im := f.read(3073): c.update(im)
else:
    for l in open(path):
        if l[0] == "{":
            d = json.loads(l); l = d["instruction"] + " " + d["output"]
        c.update(l.split())
"""
failed = False
for name, n, make, least, most in (("text", thousands * 1000, texts, 20000, 400),
                                   ("prompts", thousands * 200, prompts, 10000, 400),
                                   ("images", thousands * 100, images, 5000, 300)):
    path = make(n)
    best = min(run([exhibit, "triggers", "-q", "--threads", "1", path]) for _ in range(2))
    two = min((run([exhibit, "triggers", "-q", "--threads", "2", path]) for _ in range(2)),
              key=lambda t: t[1])
    if best[3] not in (0, 1):
        sys.exit("exhibit triggers: exit %d" % best[3])
    print("%-8s triggers       %8.0f records/s of CPU, %8.0f by the clock on two threads, %4.0f MiB"
          % (name, n / best[0], n / two[1], best[2]))
    t = run(["/usr/bin/python3", "-c", count, path])
    print("%-8s python3 counts %8.0f records/s of CPU; triggers is %.2f times as fast"
          % (name, n / t[0], t[0] / best[0]))
    if n / best[0] < least:
        print("%s: below the %d records/s that are promised" % (name, least))
        failed = True
    if best[2] > most:
        print("%s: above %d MiB" % (name, most))
        failed = True
sys.exit(failed)
P
