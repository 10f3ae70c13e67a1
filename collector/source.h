#ifndef COLLECTOR_SOURCE_H_
#define COLLECTOR_SOURCE_H_

#include <stdbool.h>
#include <stddef.h>

#include "custody/bag.h"

struct buf;

/*
 * What a source is: a row of systems.def is the word before ":" in the value
 * of --registry ("mlflow:/srv/mlruns").  The bytes below the path are taken
 * whatever it is; it says who reads them, and what belongs to it besides.
 */
enum source_system {
	SOURCE_FILES,		/* a file or a folder, nothing more is said */
#define SYSTEM(id, word, help) SOURCE_##id,
#include "collector/systems.def"
#undef SYSTEM
	SOURCE_PROCESS,		/* a running process, by number */
	SOURCE_PROCESS_OF,	/* those that map or hold a file, by path */
	SOURCE_SYSTEMS
};

/* "mlflow", "files", "process"; never NULL. */
const char *source_system_name(enum source_system s);

/*
 * source_split(given, ret, rest): "mlflow:/a" gives SOURCE_MLFLOW and "/a".
 * False when no row has the word; a path that is there as it stands wins and
 * is SOURCE_FILES.
 */
bool source_split(const char *given, enum source_system *ret,
    const char **rest);

/*
 * source_is_url: "http://..." or "https://...".  source_url_ok: one with a
 * host and a path at most; a user with a password would be in every record.
 */
bool source_is_url(const char *s);
bool source_url_ok(const char *s);
#define SOURCE_URL_WRONG "a registry's URL is http://HOST[:PORT][/PATH], " \
	"without a user or a query; --registry-header FILE says who asks"

/*
 * source_slice(given, n): how many bytes of "PATH:SLICE" are the path: all of
 * them when it is there as it stands, or the longest part before a colon that
 * is; all when none is.
 */
size_t source_slice(const char *given);

/* source_systems(b): "mlflow:, hf:, ..." for messages. */
void source_systems(struct buf *b);

/*
 * Kinds of sources: a row of sources.def is an option of collect and the
 * class that its objects get (the folder below data/, and "class" in
 * files.jsonl).
 */
struct source_kind {
	const char *option;	/* "weights" */
	enum bag_class class;
	enum source_system kind;
	const char *arg;	/* "PATH" */
	const char *help;
};

size_t source_count(void);
const struct source_kind *source_at(size_t i);

#endif /* !COLLECTOR_SOURCE_H_ */
