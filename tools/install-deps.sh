#!/bin/sh
# Install what building, testing and the demo need, if anything is missing.
# Debian 12; root or sudo; nothing but apt.  Prints one line when nothing is
# to do.
set -eu

packages="gcc libc6-dev make pkg-config libarchive-dev libssl-dev openssl
	libmagic-dev libyara-dev libsqlite3-dev libgit2-dev libyaml-dev
	libcurl4-openssl-dev libsnappy-dev libzstd-dev liblz4-dev libbrotli-dev
	zlib1g-dev liblzma-dev libpng-dev libjpeg62-turbo-dev libcmocka-dev
	openssh-server openssh-client tar coreutils xxd strace sqlite3 busybox
	libarchive-tools python3
	python3-jsonschema attr util-linux"

missing=
for p in $packages; do
	status=$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true)
	case $status in
	*"ok installed") ;;
	*) missing="$missing $p" ;;
	esac
done
if [ -z "$missing" ]; then
	exit 0
fi
echo "installing:$missing"
if [ "$(id -u)" -eq 0 ]; then
	run=
elif command -v sudo >/dev/null 2>&1; then
	run="sudo"
else
	echo "cannot install:$missing: neither root nor sudo" >&2
	exit 2
fi
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
	--no-install-recommends $missing >/dev/null
