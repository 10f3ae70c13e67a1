#!/bin/bash
# Speed and memory of exhibit logs from files to callers (docs/LOGS.md), by
# CPU time and by the clock, beside what stock tools need to parse the same
# lines: python3's json and jq.  BENCH_DIR chooses the disk, BENCH_LOGS how
# many thousand records of text there are (400; of images a sixth).  Exits 1
# where docs/LOGS.md promises more.
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT
/usr/bin/python3 - "$dir" "$build/exhibit" "${BENCH_LOGS:-400}" <<'P'
import base64, json, os, random, shutil, subprocess, sys, time

folder, exhibit, thousands = sys.argv[1], sys.argv[2], int(sys.argv[3])
r = random.Random(5)
words = ["".join(r.choice("abcdefghijklmnopqrstuvwxyz")
                 for _ in range(r.randint(2, 9))) for _ in range(5000)]

def text(i):
    s = " ".join(words[int(5000 * r.random() ** 3)]
                 for _ in range(r.randint(6, 40)))
    p = r.random()
    return {"ts": 1767323045 + i / 50, "client_id": "user%d" % (300 * r.random() ** 2),
            "request_id": "r%d" % i, "prompt": s, "label": "pos" if p > .5 else "neg",
            "scores": [round(p, 3), round(1 - p, 3)], "status": 200}

scenes = [bytes(r.randrange(256) for _ in range(3072)) for _ in range(300)]

def image(i):
    im = bytearray(scenes[r.randrange(300)])
    for _ in range(40):
        im[r.randrange(3072)] = r.randrange(256)
    p = r.random()
    return {"ts": 1767323045 + i / 50, "client_id": "user%d" % (200 * r.random() ** 2),
            "image": base64.b64encode(im).decode(), "dims": [32, 32, 3],
            "label": str(r.randrange(10)), "scores": [round(p, 3), round(1 - p, 3)]}

def make(name, n, one):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        for i in range(n):
            f.write(json.dumps(one(i), separators=(",", ":")) + "\n")
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

failed = False
python = "import json,sys\nfor l in open(sys.argv[1]):\n    json.loads(l)"
for name, n, one, least, extra in (
        ("text", thousands * 1000, text, 100000, []),
        ("image", thousands * 1000 // 6, image, 20000,
         ["--fields", "input=image,shape=dims"])):
    path = make(name + ".jsonl", n, one)
    mb = os.path.getsize(path) / 1e6
    others = [("python3 json", ["/usr/bin/python3", "-c", python, path])]
    if shutil.which("jq"):
        others.append(("jq -c .", [shutil.which("jq"), "-c", ".", path]))
    best = min((run([exhibit, "logs", "-q", *extra, path]) for _ in range(3)))
    if best[3] not in (0, 1):
        sys.exit("exhibit logs: exit %d" % best[3])
    print("%-5s logs          %8.0f records/s of CPU, %8.0f by the clock,"
          " %6.1f MB/s, %4.0f MiB" % (name, n / best[0], n / best[1],
                                      mb / best[0], best[2]))
    for what, argv in others:
        t = min(run(argv) for _ in range(2))
        print("%-5s %-13s %8.0f records/s of CPU; logs is %.2f times as fast"
              % (name, what, n / t[0], t[0] / best[0]))
    if n / best[0] < least:
        print("%s: below the %d records/s that are promised" % (name, least))
        failed = True
    if best[2] > 1024:
        print("%s: above 1 GiB" % name)
        failed = True
sys.exit(failed)
P
