#ifndef TESTS_LIB_LOGS_CASE_H_
#define TESTS_LIB_LOGS_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "formats/logs/logs.h"

/*
 * The reader of logs over memory, and what it says as lines of JSON: records
 * as the worker writes them, problems, secrets and accounts in a few keys.
 */
struct logs_case {
	struct buf out;
	struct logs_params p;	/* may be set before logs_case_run */
	struct logs_events ev;
	unsigned records, problems, secrets, files;
	unsigned problem[LOGS_PROBLEMS];
	int rc;
	bool has_since;		/* of files that are given now */
	int64_t since_ns;
	int stop_after;		/* callbacks until one fails; 0: never */
};

void logs_case_init(struct logs_case *c);
void logs_case_release(struct logs_case *c);
/* One file, then the end. */
void logs_case_run(struct logs_case *c, const char *path, const void *p,
    size_t n, int64_t mtime_ns);
/* Several of them: logs_case_open, _file and _close. */
struct logs *logs_case_open(struct logs_case *c);
void logs_case_file(struct logs_case *c, struct logs *l, const char *path,
    const void *p, size_t n, int64_t mtime_ns);
void logs_case_close(struct logs_case *c, struct logs *l);
/* A whole file of the tree; the caller frees. */
uint8_t *logs_case_load(const char *path, size_t *n);

#endif /* !TESTS_LIB_LOGS_CASE_H_ */
