#ifndef TESTS_RELEASE_SCAN_FIXTURE_H_
#define TESTS_RELEASE_SCAN_FIXTURE_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/coverage.h"
#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/err.h"
#include "base/sandbox.h"
#include "tests/lib/tree_fixture.h"

/*
 * A scan by real workers, with everything that it says kept in memory, and a
 * scratch folder for what it scans.
 */
#define SCAN_MAX 512

static char scan_top[] = "/tmp/exhibit-scan-XXXXXX";

static struct {
	char path[256], format[33];
	enum verdict verdict;
	bool complete, mapped;
	struct coverage_sum cover;
} scan_objects[SCAN_MAX];
static unsigned scan_nobjects;

static struct {
	char path[256];
	enum finding_id id;
	uint64_t off, len;
	unsigned ndetails;
	struct {
		char key[33], text[160];
		uint64_t num;
	} details[FINDING_DETAILS];
} scan_findings[SCAN_MAX];
static unsigned scan_nfindings;

static struct {
	char path[256], file[65];
	uint64_t off, len;
} scan_carved[SCAN_MAX];
static unsigned scan_ncarved;

static bool scan_summed;

static int
scan_on_header(struct sink *s, const struct result_header *h, struct err *e)
{
	(void)s;
	(void)e;
	assert_true(h->sandbox.seccomp);
	return 0;
}

static int
scan_on_object(struct sink *s, const struct result_object *o, struct err *e)
{
	unsigned i = scan_nobjects++;

	(void)s;
	(void)e;
	assert_true(i < SCAN_MAX);
	(void)snprintf(scan_objects[i].path, sizeof(scan_objects[i].path),
	    "%s", o->path);
	(void)snprintf(scan_objects[i].format, sizeof(scan_objects[i].format),
	    "%s", o->format);
	scan_objects[i].verdict = o->verdict;
	scan_objects[i].complete = o->complete;
	scan_objects[i].mapped = o->cover != NULL;
	if (o->cover != NULL)
		scan_objects[i].cover = *o->cover;
	return 0;
}

static int
scan_on_finding(struct sink *s, const struct result_finding *r,
    struct err *e)
{
	const struct finding *f = r->finding;
	unsigned i = scan_nfindings++;

	(void)s;
	(void)e;
	assert_true(i < SCAN_MAX);
	(void)snprintf(scan_findings[i].path, sizeof(scan_findings[i].path),
	    "%s", r->path);
	scan_findings[i].id = f->id;
	scan_findings[i].off = f->off;
	scan_findings[i].len = f->len;
	scan_findings[i].ndetails = f->ndetails;
	for (unsigned k = 0; k < f->ndetails; k++) {
		const struct detail *d = &f->details[k];

		(void)snprintf(scan_findings[i].details[k].key, 33, "%s",
		    d->key);
		(void)snprintf(scan_findings[i].details[k].text, 160, "%.*s",
		    (int)d->len, d->text != NULL ? (const char *)d->text :
		    "");
		scan_findings[i].details[k].num = d->num;
	}
	return 0;
}

static int
scan_on_call(struct sink *s, const struct result_call *c, struct err *e)
{
	(void)s;
	(void)c;
	(void)e;
	return 0;
}

static int
scan_on_carved(struct sink *s, const struct result_carved *c, struct err *e)
{
	unsigned i = scan_ncarved++;

	(void)s;
	(void)e;
	assert_true(i < SCAN_MAX);
	(void)snprintf(scan_carved[i].path, sizeof(scan_carved[i].path), "%s",
	    c->path);
	(void)snprintf(scan_carved[i].file, sizeof(scan_carved[i].file), "%s",
	    c->file);
	scan_carved[i].off = c->off;
	scan_carved[i].len = c->len;
	return 0;
}

static int
scan_on_summary(struct sink *s, const struct result_summary *r,
    struct err *e)
{
	(void)s;
	(void)r;
	(void)e;
	scan_summed = true;
	return 0;
}

static const struct sink_ops scan_sink = {"remember", scan_on_header,
    scan_on_object, scan_on_finding, scan_on_call, scan_on_carved,
    scan_on_summary, NULL};

static inline void
scan_do(const char *path, const struct scan_options *o)
{
	struct sink sink = {.ops = &scan_sink, .fd = -1};
	struct result_summary sum;
	struct err e = ERR_INIT;
	bool failed;

	scan_nobjects = scan_nfindings = scan_ncarved = 0;
	scan_summed = false;
	assert_int_equal(scan_run(&path, 1, o, &sink, &sum, &failed, &e), 0);
	assert_true(scan_summed);
}

/* Up to four paths below the scratch folder at a time. */
static inline const char *
scan_path(const char *name)
{
	static char path[4][256];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(path[turn], sizeof(path[0]), "%s/%s", scan_top, name);
	return path[turn];
}

static inline void
scan_put(const char *name, const void *p, size_t n)
{
	int fd = open(scan_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	(void)close(fd);
}

/* Does the path end in this? */
static inline bool
scan_ends(const char *path, const char *tail)
{
	size_t m = strlen(path), n = strlen(tail);

	return m >= n && strcmp(path + m - n, tail) == 0;
}

/* The finding's index, or -1. */
static inline int
scan_found(const char *tail, enum finding_id id)
{
	for (unsigned i = 0; i < scan_nfindings; i++)
		if (scan_findings[i].id == id &&
		    scan_ends(scan_findings[i].path, tail))
			return (int)i;
	return -1;
}

static inline int
scan_object(const char *tail)
{
	for (unsigned i = 0; i < scan_nobjects; i++)
		if (scan_ends(scan_objects[i].path, tail))
			return (int)i;
	return -1;
}

static inline const char *
scan_detail(int finding, const char *key)
{
	for (unsigned k = 0; k < scan_findings[finding].ndetails; k++)
		if (strcmp(scan_findings[finding].details[k].key, key) == 0)
			return scan_findings[finding].details[k].text;
	return NULL;
}

static inline int
scan_setup(void **state)
{
	struct sandbox_status st;

	(void)state;
	sandbox_probe(&st);
	if (!st.seccomp) {
		(void)printf("SKIP: this kernel has no seccomp filter\n");
		exit(77);
	}
	return mkdtemp(scan_top) != NULL ? 0 : -1;
}

static inline int
scan_teardown(void **state)
{
	(void)state;
	return tree_fixture_remove(scan_top);
}

#endif /* !TESTS_RELEASE_SCAN_FIXTURE_H_ */
