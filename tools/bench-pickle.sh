#!/bin/bash
# Speed of reading pickles: opcodes a second, start-up, peak of memory.  Each
# time is the best of five runs of a whole scan; the scan of a pickle of one
# opcode is taken off where a rate is printed.
set -eu
BUILD=${BUILD:-build}
build=$(cd "$BUILD" && pwd)
dir=$(mktemp -d "${BENCH_DIR:-$build}/bench-XXXXXX")
trap 'rm -rf "$dir"' EXIT

printf 'N.' >"$dir/small.pkl"
/usr/bin/python3 - "$dir" <<'P'
import collections, pickle, sys, types, zipfile
d = sys.argv[1]
pickle.dump(list(range(1000000)), open(d + "/ints.pkl", "wb"), 4)

# A state dict as torch.save writes it, without torch.
utils, torch = types.ModuleType("torch._utils"), types.ModuleType("torch")
def _rebuild_tensor_v2(*args):
    pass
_rebuild_tensor_v2.__module__ = "torch._utils"
_rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
utils._rebuild_tensor_v2 = _rebuild_tensor_v2
FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
torch.FloatStorage, torch._utils = FloatStorage, utils
sys.modules["torch"], sys.modules["torch._utils"] = torch, utils

class Storage:
    def __init__(self, key):
        self.key = key

class Tensor:
    def __init__(self, key):
        self.key = key
    def __reduce__(self):
        return _rebuild_tensor_v2, (Storage(self.key), 0, (4, 4), (4, 1),
                                    False, collections.OrderedDict())

class Pickler(pickle.Pickler):
    def persistent_id(self, o):
        if isinstance(o, Storage):
            return "storage", FloatStorage, str(o.key), "cpu", 16

state = collections.OrderedDict(
    ("layer.%d.block.attention.weight" % i, Tensor(i)) for i in range(20000))
with zipfile.ZipFile(d + "/state.pt", "w") as z:
    with z.open("archive/data.pkl", "w") as f:
        Pickler(f, 2).dump(state)
    for i in range(20000):
        z.writestr("archive/data/%d" % i, bytes(64))
    z.writestr("archive/version", "3\n")
with zipfile.ZipFile(d + "/state.pt") as z:
    open(d + "/state.pkl", "wb").write(z.read("archive/data.pkl"))
P

# best FILE: seconds of the fastest of five scans.
best()
{
	local t=999 s i
	for i in 1 2 3 4 5; do
		s=$({ TIMEFORMAT=%R; time "$build/exhibit" scan --no-hash -q \
		    "$1" >/dev/null 2>&1 || true; } 2>&1)
		t=$(awk -v a="$t" -v b="$s" 'BEGIN { print a < b ? a : b }')
	done
	echo "$t"
}

start=$(best "$dir/small.pkl")
echo "scan of a pickle of one opcode   $start s"
for f in ints.pkl state.pkl state.pt; do
	t=$(best "$dir/$f")
	memory=$({ /usr/bin/time -f %M "$build/exhibit" scan --no-hash -q \
	    "$dir/$f" >/dev/null || true; } 2>&1 | tail -n 1)
	size=$(stat -c %s "$dir/$f")
	awk -v f="$f" -v n="$size" -v t="$t" -v s="$start" -v m="$memory" \
	    'BEGIN { printf "%-12s %5.1f MB  %.3f s  %4.0f MB/s  %.0f MiB\n",
	    f, n / 1e6, t, n / 1e6 / (t - s), m / 1024 }'
done
