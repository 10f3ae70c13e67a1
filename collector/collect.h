#ifndef COLLECTOR_COLLECT_H_
#define COLLECTOR_COLLECT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "custody/bag.h"

struct err;
struct evidence_writer;
struct intake;

/*
 * Take files and trees into a bundle without altering them, and write down
 * everything about each object (docs/RECORDS.md has every key).
 *
 * Non-alteration: opened read-only beneath their root (openat2 with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), O_NOATIME where the kernel
 * permits it (else said), no link followed, no special file opened, stat
 * before and after, nothing mapped, nothing written.  What a comparison of
 * stat cannot see: a writer through an already dirty mapping; --double-read
 * helps.
 */
struct collect_source {
	enum bag_class class;
	const char *path;	/* as given */
};

struct collect_options {
	const struct collect_source *sources;
	size_t nsources;
	bool double_read;
	unsigned digests;		/* enum digest_set */
	const char *case_id;		/* NULL: none */
	const char *bag;
	const char *examiner;
	const char *purpose;		/* NULL: not said */
	const uint8_t *cert_sha256;	/* 32 bytes */
	const char *examiner_pem, *tsa_pem;	/* into metadata/pki/ */
	bool local_tsa;			/* the token will be by tsa_pem */
	bool has_head;			/* the ledger's head at this moment */
	uint64_t head_size;
	uint8_t head_root[32];
	struct intake *intake;		/* waiting workers, or NULL */
	int bundle_fd;			/* what is written, to be read; -1 */
	int64_t since_ns, until_ns;	/* of API logs; both 0: no window */
	int32_t zone_seconds;		/* of local times in logs */
	bool mask_content;		/* of API logs, in what is derived */
	int argc;
	char **argv;
	const char *tool;
	/* A user's or group's name, or NULL; NULL hook: numbers alone. */
	const char *(*user_name)(uid_t uid);
	const char *(*group_name)(gid_t gid);
	void (*progress)(void *ctx, uint64_t bytes, const char *path);
	void *progress_ctx;
};

struct collect_totals {
	uint64_t objects;	/* seen */
	uint64_t stored;	/* with content in the bundle */
	uint64_t bytes;
	uint64_t errors;	/* objects or folders that could not be read */
	uint64_t changed;	/* changed while they were read */
	uint64_t duplicates;	/* reached twice, stored once */
};

/*
 * collect_run: acquisition.json, payload, files.jsonl, errors.jsonl,
 * log.jsonl, completion.json and the certificates; does not finish the
 * bundle.  What cannot be read is recorded and counted, never an error here;
 * negative when the bundle cannot be written.
 */
int collect_run(const struct collect_options *o, struct evidence_writer *w,
    struct collect_totals *ret, struct err *e);

#endif /* !COLLECTOR_COLLECT_H_ */
