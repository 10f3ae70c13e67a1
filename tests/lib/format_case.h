#ifndef TESTS_LIB_FORMAT_CASE_H_
#define TESTS_LIB_FORMAT_CASE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * One run of one format over bytes, with everything that it told: for unit
 * tests and fuzz targets.  Members are recorded, not entered.
 */
#define CASE_EVENTS 512

#define CASE_COVERS 4096

struct format_case {
	int rc;
	unsigned anomalies, calls, members, tensors, views, globals, metas,
	    covers;
	enum anomaly anomaly[CASE_EVENTS];
	uint64_t anomaly_off[CASE_EVENTS];
	char call[CASE_EVENTS][160];	/* "callee(args)" */
	char member[CASE_EVENTS][80];
	uint64_t member_size[CASE_EVENTS];
	unsigned member_flags[CASE_EVENTS];
	struct {
		uint64_t off, len;
		bool padding;
	} cover[CASE_COVERS];
	char name[32];			/* what the format turned out to be */
	uint64_t hash;			/* over every event, in order */
	bool outside;			/* an offset was beyond the object */
};

/*
 * A file that format_sibling finds, for all runs until it is set again: the
 * list ends with a NULL name.  NULL: SIBLING_UNKNOWN for every name.
 */
struct format_case_file {
	const char *name;
	const void *p;
	size_t n;
	bool refused;		/* it is there, but a link */
};
void format_case_siblings(const struct format_case_file *files);

/*
 * format_case_unexplained: how many of the object's ${n} bytes no cover event
 * of the run holds (0 when it told none at all).
 */
uint64_t format_case_unexplained(const struct format_case *c, size_t n);

/* window 0: the default. */
void format_case_run(struct format_case *c, const struct format *f,
    const void *p, size_t n, size_t window);

bool format_case_has(const struct format_case *c, enum anomaly id);
bool format_case_called(const struct format_case *c, const char *call);
bool format_case_member(const struct format_case *c, const char *name);

/* The bid for these bytes alone. */
unsigned format_case_bid(const struct format *f, const void *p, size_t n);

/*
 * The laws that hold for every format and every input: windows of 1, 2, 3, 7
 * and 4096 bytes tell the same; places lie inside the object; two runs are
 * equal.  Returns what was broken, or NULL.
 */
const char *format_case_laws(const struct format *f, const void *p,
    size_t n);

/*
 * The laws for every truncation of p[0..n), and for ${count} mutations from
 * ${seed}.  NULL, or what was broken.
 */
const char *format_case_truncate(const struct format *f, const void *p,
    size_t n);
const char *format_case_mutate(const struct format *f, const void *p,
    size_t n, unsigned count, uint32_t seed);

/*
 * format_case_sample: the bytes of an assembled sample ("pickle/hostile"),
 * from $BUILD/samples (build/samples), or of a benign file ("benign/..."),
 * from samples/.  Fails the test when it is not there.  free() it.
 */
uint8_t *format_case_sample(const char *name, size_t *n);

/* format_case_sweep: laws, truncations and 2000 mutations of a sample. */
const char *format_case_sweep(const struct format *f, const char *sample);

#endif /* !TESTS_LIB_FORMAT_CASE_H_ */
