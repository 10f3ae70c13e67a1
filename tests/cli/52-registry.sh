#!/bin/bash
# What a registry says is held against the files that are there: in a folder,
# in a bundle and in a tar.
. tests/cli/lib.sh
check "case" make_case
commit=2439f60ef33a0d46d85da5001d52aeda5b00ce9f

# A Hugging Face cache as the hub's client leaves it.
make_cache()
{
	local r=$1/hub/models--acme--tiny s w c
	s=$r/snapshots/$commit
	mkdir -p "$r/refs" "$r/blobs" "$s/sub" "$r/trees" "$r/.no_exist/$commit"
	printf '%s' "$commit" >"$r/refs/main"
	w=$(sha256sum <samples/benign/digits.safetensors | cut -c1-64)
	cp samples/benign/digits.safetensors "$r/blobs/$w"
	printf '{"model_type":"x"}\n' >"$r/config"
	c=$({ printf 'blob %d\0' "$(stat -c %s "$r/config")"; cat "$r/config"; } |
	    sha1sum | cut -c1-40)
	mv "$r/config" "$r/blobs/$c"
	ln -s "../../blobs/$w" "$s/model.safetensors"
	ln -s "../../../blobs/$c" "$s/sub/config.json"
	: >"$r/.no_exist/$commit/adapter_config.json"
	printf '{"format_version":1,"files":{"model.safetensors":{"size":%d,"blob_id":"%s","lfs_sha256":"%s","lfs_size":%d},"sub/config.json":{"size":19,"blob_id":"%s"}}}' \
	    "$(stat -c %s samples/benign/digits.safetensors)" "$c" "$w" \
	    "$(stat -c %s samples/benign/digits.safetensors)" "$c" \
	    >"$r/trees/$commit.json"
}

# flip FILE OFFSET: another value of one byte.
flip()
{
	local old
	old=$(od -An -tu1 -j "$2" -N 1 "$1")
	chmod u+w "$1"
	printf '%b' "\\x$(printf '%02x' $((old ^ 1)))" |
	    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

rows()
{
	grep -h '"rule":"REG-' "$1" |
	    sed 's/.*"rule":"\([A-Z-]*\)".*"file":"[^"]*\(models--[^"]*\)".*/\1 \2/' |
	    sort
}

scan_all()
{
	local name=$1 bundle
	"$EXHIBIT" scan --format jsonl "$T/$name" >"$T/$name.dir" 2>/dev/null
	bundle=$("$EXHIBIT" collect --case "$T/case" --registry "$T/$name" 2>/dev/null)
	"$EXHIBIT" scan --format jsonl "$bundle" >"$T/$name.bag" 2>/dev/null
	tar -C "$T/$name" -cf "$T/$name.tar" .
	"$EXHIBIT" scan --format jsonl "$T/$name.tar" >"$T/$name.tarred" 2>/dev/null
}

make_cache "$T/clean"
scan_all clean
exits 0 "a clean cache" "$EXHIBIT" scan "$T/clean"
for how in dir bag tarred; do
	same "one registry ($how)" \
	    "$(grep -c '"format":"registry"' "$T/clean.$how")" 1
	same "nothing to say ($how)" "$(rows "$T/clean.$how")" ""
	check "it is complete ($how)" grep -q \
	    '"format":"registry".*"verdict":"clean","complete":true' "$T/clean.$how"
done

# One byte of the weights, and nothing else: the file itself stays in order.
make_cache "$T/flipped"
blob=$(cd "$T/flipped/hub/models--acme--tiny/blobs" && ls -S | head -1)
flip "$T/flipped/hub/models--acme--tiny/blobs/$blob" \
    $(($(stat -c %s samples/benign/digits.safetensors) - 3))
scan_all flipped
exits 1 "a flipped byte" "$EXHIBIT" scan "$T/flipped"
for how in dir bag tarred; do
	same "the blob is told ($how)" "$(rows "$T/flipped.$how")" \
	    "REG-DIGEST models--acme--tiny/blobs/$blob"
	check "it is high ($how)" grep -q \
	    '"rule":"REG-DIGEST","severity":"high","confidence":"certain"' \
	    "$T/flipped.$how"
done
# The folder of the repository alone is the same registry.
"$EXHIBIT" scan --format jsonl "$T/flipped/hub/models--acme--tiny" \
    >"$T/inner" 2>/dev/null
same "the inner folder says the same" "$(grep -c '"rule":"REG-DIGEST"' "$T/inner")" 1

# A planted file and a link that leads elsewhere.
make_cache "$T/planted"
s=$T/planted/hub/models--acme--tiny/snapshots/$commit
printf 'import os\n' >"$s/modeling_x.py"
printf '{}' >"$s/adapter_config.json"
ln -sf /etc/hostname "$s/model.safetensors"
scan_all planted
for how in dir bag; do
	same "planted files are told ($how)" "$(rows "$T/planted.$how")" \
"REG-DISAGREES models--acme--tiny/snapshots/$commit/adapter_config.json
REG-EXTRA models--acme--tiny/snapshots/$commit/adapter_config.json
REG-EXTRA models--acme--tiny/snapshots/$commit/modeling_x.py
REG-MISSING models--acme--tiny/snapshots/$commit/model.safetensors"
done

# A cache that was copied without links has their text: nothing lies where the
# tree names content, so nothing was held against it.
make_cache "$T/flat"
find "$T/flat" -type l | while read -r link; do
	text=$(readlink "$link")
	rm "$link"
	printf '%s' "$text" >"$link"
done
scan_all flat
exits 2 "a flattened cache is not clean" "$EXHIBIT" scan "$T/flat"
for how in dir bag tarred; do
	same "texts of links are told ($how)" "$(rows "$T/flat.$how")" \
"REG-POINTER models--acme--tiny/snapshots/$commit/model.safetensors
REG-POINTER models--acme--tiny/snapshots/$commit/sub/config.json"
	check "and make it incomplete ($how)" grep -q \
	    '"format":"registry".*"verdict":"incomplete","complete":false' \
	    "$T/flat.$how"
done

# So does a pointer of Git LFS whose object was not fetched; with the object
# there is nothing that was not looked at.
mkdir -p "$T/lfs"
printf '*.safetensors filter=lfs\n' >"$T/lfs/.gitattributes"
w=$(sha256sum <samples/benign/digits.safetensors | cut -c1-64)
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n' \
    "$w" "$(stat -c %s samples/benign/digits.safetensors)" \
    >"$T/lfs/model.safetensors"
"$EXHIBIT" scan --format jsonl "$T/lfs" >"$T/lfs.bare" 2>/dev/null
check "a pointer alone is incomplete" grep -q \
    '"format":"registry".*"verdict":"incomplete","complete":false' "$T/lfs.bare"
has "and told" "$T/lfs.bare" '"rule":"REG-POINTER","severity":"low"'
mkdir -p "$T/lfs/.git/lfs/objects/${w:0:2}/${w:2:2}"
cp samples/benign/digits.safetensors \
    "$T/lfs/.git/lfs/objects/${w:0:2}/${w:2:2}/$w"
"$EXHIBIT" scan --format jsonl "$T/lfs" >"$T/lfs.full" 2>/dev/null
check "with its object it is complete" grep -q \
    '"format":"registry".*"verdict":"clean","complete":true' "$T/lfs.full"

# An MLflow store whose alias was moved by hand: the folder's file and the map
# in meta.yaml disagree.  The finding's keys must pass the parent's gate.
m=$T/mlruns/models/fraud
mkdir -p "$m/aliases" "$m/version-1" "$m/version-2"
printf 'aliases:\n  champion: 2\nname: fraud\n' >"$m/meta.yaml"
for v in 1 2; do
	printf 'name: fraud\nversion: %s\nstatus: READY\n' "$v" \
	    >"$m/version-$v/meta.yaml"
done
printf 2 >"$m/aliases/champion"
"$EXHIBIT" scan --format jsonl "$T/mlruns" >"$T/mlflow.good" 2>/dev/null
hasnt "an alias as it should be" "$T/mlflow.good" REG-ALIAS
printf 1 >"$m/aliases/champion"
exits 1 "an alias that was moved" "$EXHIBIT" scan --format jsonl "$T/mlruns"
has "is told" "$T/.out" '"rule":"REG-ALIAS","severity":"high"'
hasnt "by a worker that lived" "$T/.out" SCAN-

check "a registry in order keeps its row" grep -q \
    '"format":"registry".*"verdict":"clean","complete":true' "$T/mlflow.good"

# Names that a registry's files share with others' are asked for by names
# alone where nothing may be opened: a web page's model, any database.  Who
# opens them finds no registry, and none is reported.
mkdir "$T/names"
printf '*.txt text\n' >"$T/names/.gitattributes"
printf 'apiVersion: v1\nkind: ConfigMap\n' >"$T/names/kserve.yaml"
printf '{"a": 1}\n' >"$T/names/kubeflow-pipeline.json"
printf '{}\n' >"$T/names/run.json"
printf '{"modelTopology": {}}\n' >"$T/names/model.json"
printf 'no database, but long enough to hold the head of one: %060d' 0 \
    >"$T/names/data.db"
scan_all names
for how in dir bag tarred; do
	hasnt "nothing is said of them ($how)" "$T/names.$how" REG-
	hasnt "and there is no registry ($how)" "$T/names.$how" \
	    '"format":"registry"'
	hasnt "by no other name ($how)" "$T/names.$how" '"format":"none"'
	has "the scan came to its end ($how)" "$T/names.$how" \
	    '"type":"summary"'
done
# Unless nobody could open one: then there may be one.
mkdir "$T/locked"
printf '{"modelTopology": {}}\n' >"$T/locked/model.json"
chmod 000 "$T/locked/model.json"
as=
if [ "$(id -u)" -eq 0 ]; then
	# Permissions mean nothing to root: be somebody.
	chmod 755 "$T" "$T/locked"
	as="setpriv --reuid=nobody --clear-groups"
fi
# shellcheck disable=SC2086
$as "$EXHIBIT" scan --format jsonl "$T/locked" >"$T/locked.dir" 2>/dev/null
same "what cannot be opened: exit 2" "$?" 2
check "is no registry without complaint" grep -q \
    '"format":"registry".*"verdict":"incomplete","complete":false' \
    "$T/locked.dir"
has "and the file is named" "$T/locked.dir" '"rule":"REG-UNREAD"'
finish
