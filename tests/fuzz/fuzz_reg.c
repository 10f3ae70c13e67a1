#include <stdio.h>
#include <string.h>

#include "tests/fuzz/fuzz_common.h"
#include "tests/lib/format_case.h"

/*
 * The input is a tree: for each file one byte that chooses its name, two of
 * its length (little endian), then its bytes; what is left is the end of the
 * list, so the list is fuzzed too.  Files of the table that are not chosen
 * are not there.  A length with its highest bit set is a link, its bytes the
 * target.
 */
#define COMMIT "2439f60ef33a0d46d85da5001d52aeda5b00ce9f"
#define GIT "ce013625030ba8dba906f756967f9e9ca394464a"
#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char *const names[] = {
    "hub/models--a--b/blobs/" GIT, "hub/models--a--b/blobs/" SHA,
    "hub/models--a--b/refs/main",
    "hub/models--a--b/snapshots/" COMMIT "/f",
    "hub/models--a--b/trees/" COMMIT ".json",
    "hub/models--a--b/.no_exist/" COMMIT "/f",
    "local/.cache/huggingface/download/f.metadata", "local/f",
    "local/.cache/huggingface/trees/" COMMIT ".json",
    "git/.gitattributes", "git/m.bin",
    "git/.git/lfs/objects/ba/78/" SHA,
    "dvc/.dvc/config", "dvc/data.dvc", "dvc/data/a", "dvc/data/b",
    "dvc/dvc.lock", "dvc/dvc.yaml",
    "dvc/.dvc/cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72",
    "dvc/.dvc/cache/files/md5/36/7df4d8caf73293b5c271213c0fad1c.dir",
    "dvc/.dvc/cache/90/0150983cd24fb0d6963f7d28e17f72",
    "oci/oci-layout", "oci/index.json", "oci/blobs/sha256/" SHA,
    "oci/models.json", "oci/manifests/h/n/t", "oci/blobs/sha256-" SHA,
    "oms/model.sig", "oms/f", "oms/sub/g.py",
    "run/run-a.wandb", "run/files/wandb-metadata.json", "run/files/f",
    "triton/m/config.pbtxt", "triton/m/1/model.py",
    "store/m.mar", "store/1-snapshot.cfg",
    "kserve/isvc.yaml", "kserve/seldon.json",
    "mlruns/0/meta.yaml", "mlruns/0/" COMMIT "/meta.yaml",
    "mlruns/models/m/meta.yaml", "mlruns/models/m/version-1/meta.yaml",
    "mlruns/models/m/aliases/champion", "mlruns/0/models/m-1/meta.yaml",
    "mlruns/0/models/m-1/artifacts/MLmodel", "mlflow.db"};
#define NAMES (sizeof(names) / sizeof(names[0]))

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	extern const struct format format_registry;
	static struct format_case_file file[NAMES + 1];
	static bool taken[NAMES];
	static char list[1 << 18];
	size_t at = 1, count = 0;
	int r;

	memset(file, 0, sizeof(file));
	memset(taken, 0, sizeof(taken));
	list[0] = '\0';
	while (n > 3 && count < NAMES) {
		size_t k = p[0] % NAMES;
		size_t len = (size_t)p[1] | (size_t)(p[2] & 0x7f) << 8;
		bool link = (p[2] & 0x80) != 0;

		if (taken[k] || len > n - 3 || (link && len > 256))
			break;
		taken[k] = true;
		p += 3;
		n -= 3;
		if (link) {
			at += (size_t)snprintf(list + at, sizeof(list) - at,
			    "l %s", names[k]) + 1;
			memcpy(list + at, p, len);
			at += len;
			list[at++] = '\0';
		} else {
			file[count++] = (struct format_case_file){names[k], p,
			    len, false};
			at += (size_t)snprintf(list + at, sizeof(list) - at,
			    "f %zu %s", len, names[k]) + 1;
		}
		p += len;
		n -= len;
	}
	if (n > 4096)
		n = 4096;
	if (n > 0)
		memcpy(list + at, p, n);
	format_case_siblings(file);
	r = fuzz_format(&format_registry, (const uint8_t *)list, at + n);
	format_case_siblings(NULL);
	return r;
}
