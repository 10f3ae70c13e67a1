#ifndef TESTS_UNIT_BODY_FIXTURE_H_
#define TESTS_UNIT_BODY_FIXTURE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/bagtext.h"
#include "custody/body_frames.h"
#include "custody/evidence_write.h"

/* A small body in memory.  Failures of the fixture itself end the program. */
#define BODY_TIME 1774353600
#define BODY_NEED(x) \
	do { \
		if (!(x)) { \
			(void)fprintf(stderr, "%s:%d: %s failed\n", \
			    __FILE__, __LINE__, #x); \
			exit(1); \
		} \
	} while (0)

struct body {
	uint8_t *p;
	size_t n;
};

static inline int
body_memfd(const void *p, size_t n)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	BODY_NEED(fd >= 0 && (n == 0 || write(fd, p, n) == (ssize_t)n));
	BODY_NEED(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static inline void
body_member(struct evidence_writer *w, const char *name, const char *text)
{
	struct evidence_place place;
	uint64_t short_by;

	BODY_NEED(evidence_begin(w, name, strlen(text), BODY_TIME - 9,
	    NULL) == 0);
	BODY_NEED(evidence_put(w, text, strlen(text), NULL) == 0);
	BODY_NEED(evidence_end(w, &place, &short_by, NULL) == 0);
}

/* ${members} of 0 gives data/.keep. */
static inline void
body_make(struct body *b, unsigned digests, unsigned members)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	const struct evidence_params p = {.fd = fd, .bag = "T-E01",
	    .digests = digests, .header_mtime = BODY_TIME, .tool = "test 1",
	    .in_memory = true};
	const struct bagtext_body c = {.objects = 7, .stored = members,
	    .bytes = 9, .errors = 1, .changed = 2, .duplicates = 3};
	char name[200];
	struct evidence_writer *w;

	BODY_NEED(fd >= 0 && evidence_writer_new(&p, &w, NULL) == 0);
	BODY_NEED(evidence_tag(w, BAG_ACQUISITION, "{}\n", 3, NULL) == 0);
	for (unsigned i = 0; i < members; i++) {
		/* The last one needs a pax record. */
		(void)snprintf(name, sizeof(name), "data/weights/%0*u",
		    i + 1 == members ? 120 : 3, i);
		body_member(w, name, "some bytes of a model");
	}
	BODY_NEED(evidence_tag(w, BAG_FILES, "{\"a\":1}\n", 8, NULL) == 0);
	BODY_NEED(evidence_tag(w, BAG_ERRORS, "", 0, NULL) == 0);
	BODY_NEED(evidence_finish_body(w, &c, NULL) == 0);
	evidence_writer_free(w);
	b->n = (size_t)lseek(fd, 0, SEEK_END);
	BODY_NEED((b->p = malloc(b->n + 1024)) != NULL);
	BODY_NEED(pread(fd, b->p, b->n, 0) == (ssize_t)b->n);
	(void)close(fd);
}

/* What body_read says of these bytes; the frames' length if it is well. */
static inline int
body_try(const uint8_t *p, size_t n, bool stream, size_t *frames)
{
	int in = body_memfd(p, n), out = body_memfd("", 0), r;
	struct bytesrc *src = stream ? bytesrc_stream(in, NULL) :
	    bytesrc_mem(p, n, NULL);

	BODY_NEED(src != NULL);
	r = body_read(src, out, NULL);
	if (frames != NULL)
		*frames = (size_t)lseek(out, 0, SEEK_END);
	bytesrc_free(src);
	(void)close(in);
	(void)close(out);
	return r;
}

#endif /* !TESTS_UNIT_BODY_FIXTURE_H_ */
