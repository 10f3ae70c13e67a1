#!/bin/bash
# No mode of a collection writes on what it looks at, or changes its times:
# every kind of source, dry runs, proposals, streams and bodies.
. tests/cli/lib.sh
can_trace
check "case" make_case
make_tree
R=$T/roots
mkdir "$R"
mv "$T/src" "$R/src"

# An MLflow store in files, and one in a database that is in use.
cp -r tests/registry/mlflow-files/mlruns "$R/mlruns"
mkdir "$R/db" "$T/live"
/usr/bin/python3 - "$T/live/mlflow.db" "$R/db" <<'P'
import shutil, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE registered_models (name VARCHAR(256) PRIMARY KEY,"
    " creation_time BIGINT, last_updated_time BIGINT, description TEXT)")
db.execute("CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY,"
    " name TEXT, artifact_location TEXT, lifecycle_stage TEXT)")
db.execute("CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT)")
db.execute("CREATE TABLE model_versions (name TEXT, version INTEGER,"
    " creation_time BIGINT, source TEXT, run_id TEXT)")
db.execute("INSERT INTO registered_models VALUES ('m', 1, 2, 'd')")
db.commit()
for end in "", "-wal", "-shm":
    shutil.copy(sys.argv[1] + end, sys.argv[2])
P
check "a log and its index lie beside it" [ -s "$R/db/mlflow.db-wal" -a \
    -s "$R/db/mlflow.db-shm" ]

commit=2439f60ef33a0d46d85da5001d52aeda5b00ce9f
hub=$R/hub/models--acme--tiny
mkdir -p "$hub/blobs" "$hub/refs" "$hub/snapshots/$commit"
sha=$(sha256sum <"$R/src/model.bin" | cut -c1-64)
cp "$R/src/model.bin" "$hub/blobs/$sha"
ln -s "../../blobs/$sha" "$hub/snapshots/$commit/model.safetensors"
printf %s "$commit" >"$hub/refs/main"

mkdir -p "$R/dvc/.dvc/cache/files/md5"
: >"$R/dvc/.dvc/config"
md5=$(md5sum <"$R/src/model.bin" | cut -c1-32)
mkdir "$R/dvc/.dvc/cache/files/md5/${md5:0:2}"
cp "$R/src/model.bin" "$R/dvc/.dvc/cache/files/md5/${md5:0:2}/${md5:2}"
cp "$R/src/model.bin" "$R/dvc/model.bin"
printf 'outs:\n- md5: %s\n  size: 8\n  hash: md5\n  path: model.bin\n' "$md5" \
    >"$R/dvc/model.bin.dvc"

mkdir "$R/repo"
cp "$R/src/model.bin" "$R/repo/"
if command -v git >/dev/null; then
	git init -q "$R/repo"
	git -C "$R/repo" add model.bin
	git -C "$R/repo" -c user.name=Eve -c user.email=eve@example.org \
	    commit -q -m 'put it there'
fi
mkdir "$R/logs" "$R/train"
cp samples/logs/*.jsonl samples/logs/*.log "$R/logs/"
gzip -k "$R/logs/nginx_combined.log"
printf 'id,label\n1,cat\n2,dog\n' >"$R/train/a.csv"
printf '{"id":1}\n{"id":2}\n' >"$R/train/b.jsonl"

# A process that holds a file, one whose name is gone, and maps nothing.
cp "$R/src/model.bin" "$T/gone"
sleep 300 3<"$R/src/model.bin" 4<"$T/gone" &
pid=$!
trap 'kill $pid 2>/dev/null; chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
rm "$T/gone"

note_tree "$R"
before=$(tree_times)
# mode NAME EXIT COMMAND...: traced, with nothing written on any source.
mode()
{
	local name=$1
	exits "$2" "$name" strace -f -y -s 256 -o "$T/trace" "${@:3}"
	mv "$T/.out" "$T/bundle"
	same "no write-type call: $name" "$(writes_below "$T/trace" "$R")" ""
	same "nor on the process: $name" \
	    "$(writes_below "$T/trace" "/proc/$pid/")" ""
	same "times and inodes: $name" "$(tree_times)" "$before"
	check "the source was looked at: $name" \
	    grep -qE "open(at|at2)?\(.*(\"|<)($R|/proc/$pid)" "$T/trace"
}
case_mode()
{
	mode "$1" 0 "$EXHIBIT" collect --case "$T/case" "${@:2}"
}
case_mode weights --weights "$R/src"
case_mode "one file" --weights "$R/src/model.bin"
case_mode "double read" --double-read --weights "$R/src"
case_mode "both digests" --digest sha256,sha512 --weights "$R/src"
case_mode "a database" --registry "mlflow:$R/db/mlflow.db"
b=$(cat "$T/bundle")
tar -tf "$b" >"$T/names"
for f in mlflow.db mlflow.db-wal mlflow.db-shm; do
	check "taken: $f" grep -q "/$f\$" "$T/names"
done
case_mode "a file store" --registry "mlflow:$R/mlruns"
case_mode "a cache" --registry "hf:$R/hub"
case_mode "dvc" --registry "dvc:$R/dvc"
[ ! -d "$R/repo/.git" ] || case_mode "git" --registry "git:$R/repo"
case_mode "whatever it is" --registry "auto:$R/mlruns" \
    --registry "auto:$R/hub"
case_mode "logs" --api-logs "$R/logs"
case_mode "logs in a window" --since 2026-01-01 --until 2026-02-01 \
    --api-logs "$R/logs"
case_mode "training" --training "$R/train"
case_mode "slices" --training "$R/train/a.csv:rows=0..1" \
    --training "$R/train/b.jsonl:hash=0.5"
case_mode "a process" --process "$pid"
case_mode "a stream" -o - --weights "$R/src" --registry "$R/db"
cat >"$T/plan.yaml" <<Y
case: TEST
sources:
- {class: weights, path: "$R/src"}
- {class: training, path: "$R/train"}
Y
case_mode "a plan" "$T/plan.yaml"
case_mode "excludes and limits" --exclude '*.bin' --one-file-system \
    --limit-rate 100M --nice 5 --weights "$R/src"
mode "a dry run" 0 "$EXHIBIT" collect --dry-run --weights "$R/src" \
    --registry "mlflow:$R/db/mlflow.db" --api-logs "$R/logs"
mode "a proposal" 0 "$EXHIBIT" collect --discover "$R"
mode "the small program" 0 "$COLLECT" --keys "$T/keys" --name HOST-1 \
    -o "$T/small.tar" --weights "$R/src" --registry "mlflow:$R/db/mlflow.db"
mode "a body" 0 "$COLLECT" --body --name HOST-2 -o - --weights "$R/src" \
    --api-logs "$R/logs"
mode "a body of a process" 0 "$COLLECT" --body --name HOST-3 -o - \
    --process "$pid"
finish
