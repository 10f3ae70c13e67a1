#ifndef COLLECTOR_COLLECT_H_
#define COLLECTOR_COLLECT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collector/source.h"
#include "custody/bag.h"

struct err;
struct evidence_writer;
struct intake;
struct journal;
struct resume;
struct slicer;

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
struct collect_setting {
	const char *name, *value;	/* "secrets", "mask" */
};

/* Half-open; a side without its flag is open. */
struct collect_window {
	bool has_since, has_until;
	int64_t since_ns, until_ns;
};

struct collect_source {
	enum bag_class class;
	const char *path;	/* here; or the URL; of a process its number */
	const char *given;	/* the whole text, NULL: path */
	enum source_system kind;
	bool url;		/* ${path} is one: collect_options.take_url */
	const char *slice;	/* text behind "PATH:", or NULL: all of it */
	struct collect_window window;
	uint64_t max_bytes;	/* of content; 0: no limit */
	const struct collect_setting *settings;	/* plan.h says which exist */
	size_t nsettings;
};

/* Mounts below a source: those of networks are not local, nor is /proc. */
enum collect_mounts {
	COLLECT_MOUNTS_ALL,
	COLLECT_MOUNTS_LOCAL,
	COLLECT_MOUNTS_NONE,
};

/* The plan that was followed: its bytes go into the bundle. */
struct collect_plan {
	const char *path;
	const uint8_t *bytes;
	size_t n;
	uint8_t sha256[32];
	const char *const *overridden;	/* its keys that flags have replaced */
	size_t noverridden;
	const char *const *added;	/* lists that flags have made longer */
	size_t nadded;
};

struct collect;
struct collect_totals;

struct collect_options {
	const struct collect_source *sources;
	size_t nsources;
	const char *authority;		/* legal basis; NULL: not said */
	const char *exhibit;		/* a label or number; NULL: none */
	/* As said, NULL: nothing was. */
	const char *organisation, *contact, *witness, *write_blocker;
	const struct collect_plan *plan;	/* NULL: by flags alone */
	const char *const *excludes;	/* glob.h */
	size_t nexcludes;
	enum collect_mounts mounts;
	uint64_t limit_rate;		/* bytes a second; 0: none */
	bool has_nice;			/* throttle.h */
	int nice;
	/* A source that is a URL; NULL: this program takes none. */
	int (*take_url)(struct collect *c, const struct collect_source *s);
	void *url_ctx;
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
	struct slicer *slicer;		/* the same of slices (slice.h) */
	int bundle_fd;			/* what is written, to be read; -1 */
	const int *out_dir;		/* where it is written; NULL: a stream */
	bool zone_given;
	int32_t zone_seconds;		/* of local times in logs */
	bool mask_content;		/* of API logs, in what is derived */
	uint64_t header_time;		/* of tag files; 0: this moment */
	bool body;			/* another process seals it */
	bool in_memory;			/* records touch no file system */
	int64_t reference_ns;		/* another clock's time; 0: none */
	int argc;
	char **argv;
	const char *tool;
	/* A user's or group's name, or NULL; NULL hook: numbers alone. */
	const char *(*user_name)(uid_t uid);
	const char *(*group_name)(gid_t gid);
	void (*progress)(void *ctx, const struct collect_totals *so_far,
	    const char *path);
	void *progress_ctx;
	struct journal *journal;	/* journal.h; NULL: none is kept */
	struct resume *resume;	/* resume.h; NULL: it begins here */
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
