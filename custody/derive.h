#ifndef CUSTODY_DERIVE_H_
#define CUSTODY_DERIVE_H_

#include <stdint.h>

/*
 * What a bundle may say about the meaning of its payload: tag files beside
 * it, made by fenced workers from the copy in the bundle, never instead of
 * it (docs/RECORDS.md).  Here is what the collector, which starts such a
 * worker, and the worker itself must agree on.
 */
#define DERIVE_REGISTRY "metadata/derived/registry.jsonl"
#define DERIVE_REQUESTS "metadata/derived/requests.jsonl"
#define DERIVE_FINDINGS "metadata/derived/findings.jsonl"
#define DERIVE_NOTES "metadata/derived/notes.jsonl"
#define DERIVE_GIT "metadata/derived/git.jsonl"

/*
 * The worker is started before keys are loaded and waits on a socket for
 * this message, which comes with two descriptors to read: the bundle so far,
 * and the lines of files.jsonl (docs/RECORDS.md) that describe it.  It enters
 * the fence behind the message and before the first byte of either.
 */
struct derive_go {
	uint64_t bundle_size, files_size;
	int64_t now_ns;			/* when the collection began */
	int32_t zone_seconds;	/* of local times in logs, east of UTC */
	uint32_t zone_given;		/* 1: else UTC is assumed */
	uint32_t mask;			/* 1: content of logs is masked */
};
#define DERIVE_FDS 2

#endif /* !CUSTODY_DERIVE_H_ */
