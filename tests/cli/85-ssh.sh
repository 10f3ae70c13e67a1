#!/bin/bash
# Evidence from another machine: a real sshd on loopback, exhibit-collect sent
# over and run without a file, connections that are cut, and machines that
# lie.
# shellcheck disable=SC2016,SC2028 # scripts that run elsewhere
. tests/cli/lib.sh

skip()
{
	echo "$1"
	exit 77
}

command -v ssh >/dev/null && command -v ssh-keygen >/dev/null ||
    skip "no ssh"
SSHD=$(command -v sshd || ls /usr/sbin/sshd 2>/dev/null) || skip "no sshd"
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
sshds=
stop()
{
	local pid

	for pid in $sshds; do
		kill "$pid" 2>/dev/null
	done
	chmod -R u+rwx "$T" 2>/dev/null
	rm -rf "$T"
}
trap stop EXIT

S=$T/sshd
mkdir -m 700 "$S" "$S/home"
ssh-keygen -q -t ed25519 -N '' -f "$S/host"
ssh-keygen -q -t ed25519 -N '' -f "$S/other"
ssh-keygen -q -t ed25519 -N '' -f "$S/user"

# start_sshd NAME [VARIABLE...]: a server; its port is in $port.
start_sshd()
{
	local name=$1
	shift
	for _ in 1 2 3 4 5 6 7 8; do
		port=$((20000 + RANDOM % 20000))
		{
			echo "Port $port"
			echo "ListenAddress 127.0.0.1"
			echo "HostKey $S/host"
			echo "PidFile none"
			echo "AuthorizedKeysFile $S/user.pub"
			echo "UsePAM no"
			echo "StrictModes no"
			echo "PasswordAuthentication no"
			echo "KbdInteractiveAuthentication no"
			echo "PermitRootLogin yes"
			# A login shell over there must not do things of its own.
			printf 'SetEnv HOME=%s\n' "$S/home $*"
		} >"$S/$name.conf"
		"$SSHD" -D -f "$S/$name.conf" -E "$S/$name.log" &
		pid=$!
		echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$S/host.pub")" \
		    >>"$S/known"
		for _ in $(seq 50); do
			kill -0 "$pid" 2>/dev/null || break
			if grep -q "Server listening" "$S/$name.log"; then
				sshds="$sshds $pid"
				return 0
			fi
			sleep 0.1
		done
		kill "$pid" 2>/dev/null
	done
	skip "sshd cannot run: $(tail -n 1 "$S/$name.log")"
}

# over PORT ARGUMENT...: a collection over ssh.
over()
{
	local port=$1
	shift
	"$EXHIBIT" collect --case "$T/case" --ssh 127.0.0.1 \
	    --ssh-option "Port=$port" --ssh-option "IdentityFile=$S/user" \
	    --ssh-option "UserKnownHostsFile=$S/known" \
	    --ssh-option IdentitiesOnly=yes "$@"
}

# member FILE NAME: a tag file of a bundle.
member()
{
	"$EXHIBIT" cat "$1" "$2"
}

manifest()
{
	member "$1" manifest-sha256.txt
}

sealed()
{
	find "$T/case/bundles" -name '*.tar' | wc -l
}

make_case
make_tree
odd="$T/src/it's \"odd\" \$(touch touched) \`touch touched\` ; touch touched & !"
printf 'odd\n' >"$odd"
start_sshd plain
plain=$port

# --- a machine that never hangs up --------------------------------------------
mkdir "$T/bin"
cat >"$T/bin/ssh" <<'P'
#!/bin/sh
# The look is answered; then it stays, with its messages' pipe.
for last; do :; done
[ -e "$0.looked" ] || { : >"$0.looked"; sh -c "$last"; exec sleep 60; }
exit 255
P
chmod +x "$T/bin/ssh"
exits 2 "a look that is answered, and stays" timeout 30 \
    env PATH="$T/bin:$PATH" "$EXHIBIT" collect --case "$T/case" --ssh x \
    --weights "$T/src"
has "does not keep us" "$T/.err" "the bytes end early"

# --- a process, with what was asked of it --------------------------------------
env -i SECRET_OF_TEST=t0ken sleep 1000 &
asleep=$!
sshds="$sshds $asleep"
exits 0 "a process over there" over "$plain" --process "$asleep" \
    --environ values --copy-libraries -q
member "$(cat "$T/.out")" metadata/processes.jsonl >"$T/processes"
has "its environment's values" "$T/processes" '"value":"t0ken"'
has "and its libraries" "$T/processes" '"member":"data/host/'

# --- the same members as a local collection -----------------------------------
here=$("$EXHIBIT" collect --case "$T/case" --weights "$T/src" 2>/dev/null)
exits 0 "a collection over ssh" over "$plain" --weights "$T/src"
there=$(cat "$T/.out")
same "members are equal" "$(manifest "$there")" "$(manifest "$here")"
same "its path is printed alone" "$(wc -l <"$T/.out")" 1
check "it verifies" "$EXHIBIT" verify --case "$T/case" "$there"
check "it verifies with the small program" "$VERIFY" "$there" \
    --trust "$T/keys/examiner.pem" --tsa-trust "$T/keys/tsa.pem"
check "it verifies with stock tools" tools/verify_stock.sh "$there" \
    "$T/keys/examiner.pem" "$T/keys/tsa.pem"
member "$there" metadata/transport.json >"$T/transport"
member "$there" metadata/acquisition.json >"$T/acquisition"
finger=$(ssh-keygen -lf "$S/host.pub" | cut -d' ' -f2)
check "the host's key is said" grep -qF "ssh-ed25519 $finger" "$T/transport"
check "what was sent is said" grep -q \
    "\"program_sha256\": \"$(sha256sum "$COLLECT" | cut -c1-64)\"" \
    "$T/transport"
check "it is what ran" grep -q \
    "\"exe_sha256\": \"$(sha256sum "$COLLECT" | cut -c1-64)\"" \
    "$T/acquisition"
check "its records waited in memory" grep -q '"spools": "memory alone"' \
    "$T/acquisition"
offset=$(sed -n 's/.*"clock_offset_ns": \(-\{0,1\}[0-9]*\).*/\1/p' "$T/transport")
check "the same clock differs by less than a second" \
    [ "${offset#-}" -lt 1000000000 ]
check "the sealing machine's examiner is said" grep -q \
    '"name": "Test Examiner"' "$T/transport"
"$EXHIBIT" collect --case "$T/case" --weights "$odd" >"$T/.o" 2>/dev/null
exits 0 "a name full of shell" over "$plain" --weights "$odd"
same "is one name over there" "$(manifest "$(cat "$T/.out")")" \
    "$(manifest "$(cat "$T/.o")")"
check "and nothing of it was run" [ ! -e "$S/home/touched" ]
exits 0 "both digests" over "$plain" --digest sha256,sha512 \
    --weights "$T/src"
check "verify too" "$EXHIBIT" verify --case "$T/case" "$(cat "$T/.out")"

# --- what it means is found out here ---------------------------------------------
# A store, a cache, a repository and logs: the same lines as of a local one.
R=$T/registry
L=$T/logs
mkdir -p "$R" "$L"
cp -r tests/registry/mlflow-files/mlruns "$R/"
cp samples/logs/*.jsonl samples/logs/*.log "$L/"
mkdir -p "$R/hub/models--acme--tiny/blobs" "$R/hub/models--acme--tiny/refs"
printf %s 2439f60ef33a0d46d85da5001d52aeda5b00ce9f \
    >"$R/hub/models--acme--tiny/refs/main"
printf poisoned >"$R/hub/models--acme--tiny/blobs/$(printf 'a%.0s' $(seq 64))"
if command -v git >/dev/null; then
	git init -q "$R/repo"
	cp "$T/src/model.bin" "$R/repo/model.bin"
	git -C "$R/repo" add model.bin
	git -C "$R/repo" -c user.name=Eve -c user.email=eve@example.org \
	    commit -q -m 'put it there'
fi
# derived BUNDLE: every derived file, one behind the other.
derived()
{
	local name

	for name in registry findings requests notes; do
		echo "== $name"
		member "$1" "metadata/derived/$name.jsonl"
	done
}
both=$("$EXHIBIT" collect --case "$T/case" --registry "$R" --api-logs "$L" \
    2>/dev/null)
exits 0 "registries and logs over ssh" over "$plain" --registry "$R" \
    --api-logs "$L"
there=$(cat "$T/.out")
derived "$both" >"$T/derived.here"
derived "$there" >"$T/derived.there"
check "all of it is derived as of a local collection" \
    cmp "$T/derived.here" "$T/derived.there"
check "rows, findings, requests, notes" [ "$(grep -c '^{' \
    "$T/derived.there")" -gt 50 ]
has "the registry" "$T/derived.there" '"system":"mlflow-files"'
has "what disagrees" "$T/derived.there" '"rule":"REG-DIGEST"'
has "the requests" "$T/derived.there" '"type":"request"'
[ ! -d "$R/repo" ] ||
    has "the repository" "$T/derived.there" '"description":"put it there"'
check "it verifies" "$EXHIBIT" verify --case "$T/case" "$there"
check "stock tools agree" tools/verify_stock.sh "$there" \
    "$T/keys/examiner.pem" "$T/keys/tsa.pem"
member "$there" metadata/transport.json >"$T/transport"
same "the sealing side says so" "$(grep -c '"read to the end"' \
    "$T/transport")" 3
member "$there" metadata/completion.json >"$T/completion"
has "the other side interpreted nothing" "$T/completion" '"derived": null'
exits 0 "as a stream" over "$plain" --registry "$R" -o -
mv "$T/.out" "$T/stream.tar"
member "$T/stream.tar" metadata/transport.json >"$T/transport"
has "it is left to who reads it" "$T/transport" "it was a stream"

# --- nothing is written over there ----------------------------------------------
if command -v strace >/dev/null; then
	strace -f -o "$T/trace" -e trace=file,memfd_create "$SSHD" -D \
	    -f "$S/plain.conf" -o "Port=$((plain + 1))" -o "PidFile=$S/pid" \
	    -E "$S/traced.log" &
	sed "s/]:$plain /]:$((plain + 1)) /" "$S/known" >>"$S/known.2"
	cat "$S/known.2" >>"$S/known"
	for _ in $(seq 50); do
		grep -q "Server listening" "$S/traced.log" 2>/dev/null && break
		sleep 0.1
	done
	exits 0 "a traced collection" over $((plain + 1)) --weights "$T/src"
	# strace ends with what it traces, but not the other way round.
	sshds="$sshds $(cat "$S/pid")"
	check "its program came to lie in memory" \
	    grep -q 'memfd_create("exhibit-collect"' "$T/trace"
	check "its records too" grep -q 'memfd_create("records"' "$T/trace"
	# sshd itself writes its log, its score, and who was here.
	grep -E '^[0-9]+ (open|openat|creat)\(.*(O_CREAT|O_WRONLY|O_RDWR|O_TMPFILE)|^[0-9]+ (mkdir|rename|link|unlink|rmdir|symlink|mknod|truncate|chmod|fchmodat|chown|lchown|fchownat|utime)[a-z0-9]*\(' \
	    "$T/trace" |
	    grep -vE "\"(/dev/(null|tty|log)|/proc/self/|/var/log/(wtmp|lastlog|btmp)|/run/utmp|/var/run/utmp)|$S/traced.log|$S/pid| = -1 " \
	    >"$T/writes"
	same "no file was made or changed over there" "$(cat "$T/writes")" ""
fi

# --- each way to run it -----------------------------------------------------------
# A PATH without the better ways.
tools_in()
{
	local dir=$1 tool
	shift
	mkdir -p "$dir"
	for tool in bash sh uname id date mktemp cat chmod wc rm rmdir "$@"; do
		ln -sf "$(command -v "$tool")" "$dir/$tool"
	done
}
tools_in "$T/perlbin" perl
start_sshd perl "PATH=$T/perlbin"
if [ "$(ssh -o Port="$port" -i "$S/user" -o UserKnownHostsFile="$S/known" \
    -o BatchMode=yes 127.0.0.1 'command -v perl')" = "$T/perlbin/perl" ]; then
	exits 0 "run by perl" over "$port" --weights "$T/src"
	there=$(cat "$T/.out")
	same "members are equal" "$(manifest "$there")" "$(manifest "$here")"
	check "and it is said" sh -c \
	    "'$EXHIBIT' cat '$there' metadata/transport.json |
	    grep -q 'memfd_create by perl'"
	tools_in "$T/barebin"
	start_sshd bare "PATH=$T/barebin"
	if grep -qE '^[^ ]+ /dev/shm tmpfs ' /proc/mounts &&
	    ! grep -qE '^[^ ]+ /dev/shm tmpfs [^ ]*noexec' /proc/mounts; then
		exits 0 "run from a tmpfs" over "$port" --weights "$T/src"
		there=$(cat "$T/.out")
		same "members are equal" "$(manifest "$there")" \
		    "$(manifest "$here")"
		check "and it is said" sh -c \
		    "'$EXHIBIT' cat '$there' metadata/transport.json |
		    grep -q 'run from /dev/shm'"
		same "nothing stays there" \
		    "$(find /dev/shm -maxdepth 1 -name 'exhibit.??????' \
		    -newer "$S/bare.conf")" ""
	else
		echo "SKIP: /dev/shm is no tmpfs that lets programs run"
	fi
else
	echo "SKIP: this sshd sets no PATH"
fi

# --- a program that is there, and one that is not ----------------------------------
exits 0 "a program that is there" over "$plain" --weights "$T/src" \
    --remote-collect "$COLLECT"
same "members are equal" "$(manifest "$(cat "$T/.out")")" "$(manifest "$here")"
n=$(sealed)
exits 2 "a program that is not there" over "$plain" --weights "$T/src" \
    --remote-collect "$T/nothing"
exits 64 "what is sent must be a program" over "$plain" --weights "$T/src" \
    --collect-program "$S/plain.conf"
exits 64 "a host that is an option" "$EXHIBIT" collect --case "$T/case" \
    --ssh "-oProxyCommand=touch $T/touched" --weights /x
exits 64 "a host with blanks" "$EXHIBIT" collect --case "$T/case" \
    --ssh "a b" --weights /x
exits 64 "a plan is for this machine" over "$plain" --dry-run --weights /x
exits 64 "options of ssh without ssh" "$EXHIBIT" collect --case "$T/case" \
    --ssh-option a=b --weights "$T/src"
check "nothing was run" [ ! -e "$T/touched" ]
exits 2 "a host whose key is not known" "$EXHIBIT" collect \
    --case "$T/case" --ssh 127.0.0.1 --ssh-option "Port=$plain" \
    --ssh-option "UserKnownHostsFile=$S/none" --weights "$T/src"
check "ssh says why" grep -qi "host key verification failed" "$T/.err"
exits 2 "a key that is not let in" "$EXHIBIT" collect --case "$T/case" \
    --ssh 127.0.0.1 --ssh-option "Port=$plain" --ssh-option \
    "UserKnownHostsFile=$S/known" --ssh-option "IdentityFile=$S/other" \
    --ssh-option IdentitiesOnly=yes --weights "$T/src"
same "none of these was sealed" "$(sealed)" "$n"

# --- what cannot be read over there --------------------------------------------------
exits 2 "a source that is not there" over "$plain" --weights "$T/src" \
    --weights "$T/missing"
there=$(cat "$T/.out")
check "is sealed all the same" "$EXHIBIT" verify --case "$T/case" "$there"
check "and recorded" sh -c "'$EXHIBIT' cat '$there' metadata/errors.jsonl |
    grep -q missing"
check "and said by the sealing side" sh -c \
    "'$EXHIBIT' cat '$there' metadata/transport.json |
    grep -q '\"exit_status\": 2'"

# --- connections that end, and machines that lie -----------------------------------------
# liar NAME: the rest of standard input is a script; its body is in $B.
liar()
{
	{
		echo '#!/bin/bash'
		echo "B=\$(mktemp $T/body.XXXXXX)"
		echo "'$COLLECT' \"\$@\" >\"\$B\" 2>/dev/null"
		echo "bag=\$(head -c 100 \"\$B\" | tr -d '\\000' | cut -d/ -f1)"
		# Where a text first stands.
		echo 'at() { grep -abo -- "$1" "$B" | head -n 1 | cut -d: -f1; }'
		echo 'put() { printf "$2" | dd of="$B" bs=1 seek="$1" conv=notrunc 2>/dev/null; }'
		cat
	} >"$T/liar-$1"
	chmod 700 "$T/liar-$1"
}

refused()
{
	local before
	before=$(sealed)
	exits 2 "refused: $1" over "$plain" --weights "$T/src" \
	    --remote-collect "$T/liar-$1"
	same "nothing is printed: $1" "$(cat "$T/.out")" ""
	same "nothing is sealed: $1" "$(sealed)" "$before"
}

liar honest <<<'cat "$B"'
exits 0 "an honest script" over "$plain" --weights "$T/src" \
    --remote-collect "$T/liar-honest"
liar cut <<<'head -c 20000 "$B"'
liar cut-late <<<'head -c -1 "$B"'
liar silent <<<'exit 0'
liar killed <<'X'
head -c 20000 "$B"; sleep 0.2; kill -9 $PPID; sleep 1
X
liar failed <<<'cat "$B"; exit 7'
liar manifest <<'X'
m=$(at "$bag/manifest-sha256.txt"); put $((m + 512)) 0000
cat "$B"
X
liar content <<'X'
put $(($(at weights/model.bin 2>/dev/null || at model.bin) + 512)) W
cat "$B"
X
liar header <<'X'
put $(($(at "$bag/metadata/files.jsonl") + 100)) 0000644
cat "$B"
X
liar junk <<<'cat "$B"; echo junk'
liar zeros <<<'cat "$B"; head -c 512 /dev/zero'
liar end <<'X'
put $(($(at "Records-SHA256: ") + 16)) 0000
cat "$B"
X
liar extra <<'X'
mkdir -p "$B.d/$bag/data/weights"; echo extra >"$B.d/$bag/data/weights/zz"
m=$(at "$bag/metadata/files.jsonl")
head -c "$m" "$B"
tar -b1 --format=ustar --owner=0 --group=0 --numeric-owner --mode=0444 \
    --mtime=@5 -C "$B.d" -cf - "$bag/data/weights/zz" | head -c 1024
tail -c +$((m + 1)) "$B"
X
liar seal <<'X'
mkdir -p "$B.d/$bag/metadata/pki"; echo mine >"$B.d/$bag/metadata/pki/tsa.pem"
m=$(at "$bag/manifest-sha256.txt")
head -c "$m" "$B"
tar -b1 --format=ustar --owner=0 --group=0 --numeric-owner --mode=0444 \
    --mtime=@$(tar -tvf "$B" --utc --full-time 2>/dev/null | head -n 1 |
    awk '{print $4 "T" $5 "Z"}' | date -f - +%s) \
    -C "$B.d" -cf - "$bag/metadata/pki/tsa.pem" | head -c 1024
tail -c +$((m + 1)) "$B"
X
liar name <<'X'
exec "$0.other" "$@"
X
printf '#!/bin/sh\nexec "%s" "$@" --name=OTHER-E01\n' "$COLLECT" \
    >"$T/liar-name.other"
chmod 700 "$T/liar-name.other"
liar noise <<<'echo Welcome; cat "$B"'
for lie in cut cut-late silent killed failed manifest content header junk \
    zeros end extra seal name noise; do
	refused "$lie"
done
# --- a machine that lies about its files -------------------------------------------------
# relist BODY: standard input becomes files.jsonl of a body that is whole.
cat >"$T/relist.py" <<'P'
import hashlib, sys
body = open(sys.argv[1], "rb").read()
# The lines that are there, from where to where, and what comes instead.
def header(h, size):
    h = bytearray(h)
    h[124:136] = b"%011o\0" % size
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)
out, off, bag = bytearray(), 0, None
def put(h, data):
    global out
    out += header(h, len(data)) + data + bytes(-len(data) % 512)
while off + 512 <= len(body) and body[off]:
    h = body[off:off + 512]
    size = int(h[124:135], 8)
    name = h[:100].split(b"\0")[0]
    data = body[off + 512:off + 512 + size]
    off += 512 + size + -size % 512
    if name.endswith(b"/metadata/files.jsonl"):
        exec(open(sys.argv[2]).read())
    if name.endswith(b"/manifest-sha256.txt"):
        records = bytes(out)
    if name.endswith(b"/body-end.txt"):
        lines = data.split(b"\n")
        lines[1] = b"Records-Length: %d" % len(records)
        lines[2] = b"Records-SHA256: " + hashlib.sha256(
            records).hexdigest().encode()
        data = b"\n".join(lines)
    put(h, data)
sys.stdout.buffer.write(bytes(out) + body[off:])
P
mkdir "$T/tmp"
# lies NAME EXIT: standard input changes ${data}, in Python.
lies()
{
	cat >"$T/lie-$1.py"
	liar "$1" <<<"/usr/bin/python3 $T/relist.py \"\$B\" $T/lie-$1.py"
	TMPDIR=$T/tmp exits "$2" "lies: $1" over "$plain" --registry "$R" \
	    --api-logs "$L" --remote-collect "$T/liar-$1"
	there=$(cat "$T/.out")
	check "verifies: $1" "$EXHIBIT" verify --case "$T/case" "$there"
	same "the bytes are here: $1" "$(manifest "$there")" \
	    "$(manifest "$both")"
	member "$there" metadata/transport.json >"$T/transport"
	same "nothing is left: $1" "$(ls "$T/tmp")" ""
}
lies nothing 0 <<<'pass'
derived "$there" >"$T/derived.there"
check "an unchanged list is the same" cmp "$T/derived.here" "$T/derived.there"
lies offsets 2 <<'P'
import re
data = re.sub(rb'"data_offset":\d+', b'"data_offset":9223372036854775000',
    data)
P
has "it is said: offsets" "$T/transport" '"result": "incomplete"'
has "and why" "$T/transport" '"why": "the process that reads them'
lies sizes 2 <<'P'
import re
data = re.sub(rb'"size":\d+', b'"size":18446744073709551615', data)
P
lies up 0 <<'P'
up = b"/../../../../../../../../../../../../../../../../tmp/exhibit-up"
extra = b""
for line in data.split(b"\n"):
    if b"2f2e6769742f48454144\"" in line:      # /.git/HEAD
        extra += line.replace(b"2f2e6769742f48454144\"",
            b"2f2e676974" + up.hex().encode() + b'"') + b"\n"
data += extra
P
check "no file came about" [ ! -e /tmp/exhibit-up ]
[ ! -d "$R/repo" ] || {
	derived "$there" >"$T/derived.there"
	has "a path that goes up is said" "$T/derived.there" "goes up"
}
lies many 0 <<'P'
data += b"".join(b'{"type":"file","class":"registry","path_hex":"2f78%s",'
    b'"data_offset":1024,"stat":{"size":5,"mtime":"1.5"}}\n' %
    (b"2f%d.json" % i).hex().encode() for i in range(1000000))
P
lies junk 2 <<'P'
data = b"\0\xff{]" * 1000
P
lies nested 2 <<'P'
data = b'{"a":' * 100000
P
lies long 2 <<'P'
data = b'{"type":"' + b"x" * 40000000 + b'"}\n'
P
lies empty 0 <<'P'
data = b""
P

printf '#!/bin/sh\nprintf "\\033]0;owned\\007 hello\\n" >&2\nexec "%s" "$@"\n' \
    "$COLLECT" >"$T/liar-loud"
chmod 700 "$T/liar-loud"
exits 0 "a machine that talks" over "$plain" --weights "$T/src" \
    --remote-collect "$T/liar-loud"
check "is heard behind its name" grep -qF '127.0.0.1: \x1B]0;owned\x07 hello' \
    "$T/.err"

finish
