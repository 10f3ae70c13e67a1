#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "collector/journal.h"
#include "collector/resume.h"
#include "custody/digest.h"

/*
 * One collection is run to its end.  Then its journal and its bundle are cut
 * or changed in every way, and taken up again: what comes out must begin with
 * the same payload, byte for byte, as an undisturbed run's.
 */
#define JOURNAL "X-E01.journal"
#define PARTIAL "X-E01.tar.partial"
#define REQUEST "{\"argv_hex\":\"00\"}"

static const uint8_t cert[32] = {7};

struct scene {
	char dir[40], src[64];
	int fd;
	struct collect_source source;
	struct collect_options o;
	struct journal *journal;
	struct buf bundle, lines;	/* of the whole run */
	size_t first, payload;	/* bytes up to the payload, to the records */
	char redone[256];
	struct err e;
};

static int
note(void *ctx, const struct evidence_note *m, struct err *e)
{
	struct scene *s = ctx;

	return journal_member(s->journal, m, e);
}

static void
put_file(const struct scene *s, const char *name, size_t n, unsigned seed)
{
	uint8_t *p = malloc(n + 1);
	char path[128];
	int fd;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)((i >> 8) * 31 + i * 7 + seed);
	(void)snprintf(path, sizeof(path), "%s/%s", s->src, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, p, n, NULL), 0);
	(void)close(fd);
	free(p);
}

static void
put_back(const struct scene *s, const char *name, const void *p, size_t n)
{
	int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fsio_write_all(fd, p, n, NULL), 0);
	(void)close(fd);
}

static struct evidence_params
params(struct scene *s, int fd)
{
	return (struct evidence_params){.fd = fd, .bag = "X-E01",
	    .digests = DIGEST_SHA256, .header_mtime = 1774353600,
	    .external_id = "X-E01", .tool = "exhibit test", .note = note,
	    .note_ctx = s};
}

static void
whole_run(struct scene *s)
{
	const struct journal_head h = {"X-E01", 1774353600, DIGEST_SHA256,
	    cert, "exhibit test", REQUEST};
	struct collect_options o = s->o;
	struct evidence_writer *w = NULL;
	struct collect_totals t;
	struct evidence_params p;
	const uint8_t *at;
	int fd;

	assert_int_equal(journal_create(s->fd, JOURNAL, &h, &s->journal,
	    &s->e), 0);
	fd = fsio_create(s->fd, PARTIAL, 0600, &s->e);
	assert_true(fd >= 0);
	p = params(s, fd);
	assert_int_equal(evidence_writer_new(&p, &w, &s->e), 0);
	o.journal = s->journal;
	assert_int_equal(collect_run(&o, w, &t, &s->e), 0);
	assert_int_equal(evidence_flush(w, &s->e), 0);
	evidence_writer_free(w);
	journal_free(s->journal);
	(void)close(fd);
	assert_int_equal(fsio_read_file(s->fd, PARTIAL, 64 * MIB, &s->bundle,
	    &s->e), 0);
	assert_int_equal(fsio_read_file(s->fd, JOURNAL, 64 * MIB, &s->lines,
	    &s->e), 0);
	at = memmem(s->bundle.p, s->bundle.len, "X-E01/metadata/files.jsonl",
	    26);
	assert_non_null(at);
	s->payload = (size_t)(at - s->bundle.p);
	at = memmem(s->bundle.p, s->bundle.len, "X-E01/data/", 11);
	assert_non_null(at);
	s->first = (size_t)(at - s->bundle.p);
}

static int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	journal_tune(LIMIT_COPY_CHUNK, 0);
	buf_init(&s->bundle, 64 * MIB);
	buf_init(&s->lines, 64 * MIB);
	memcpy(s->dir, "/tmp/exhibit-resume-XXXXXX", 27);
	assert_non_null(mkdtemp(s->dir));
	s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(s->fd >= 0);
	(void)snprintf(s->src, sizeof(s->src), "%s/src", s->dir);
	assert_int_equal(mkdir(s->src, 0700), 0);
	put_file(s, "a", 10, 1);
	put_file(s, "b", 3 * LIMIT_COPY_CHUNK + 5, 2);
	put_file(s, "c", 0, 3);
	put_file(s, "d", 700, 4);
	s->source = (struct collect_source){.class = BAG_WEIGHTS,
	    .path = s->src};
	s->o = (struct collect_options){.sources = &s->source, .nsources = 1,
	    .digests = DIGEST_SHA256, .bag = "X-E01", .examiner = "E",
	    .cert_sha256 = cert, .tool = "exhibit test", .bundle_fd = -1};
	whole_run(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"src/a", "src/b", "src/c",
	    "src/d", "src/e", JOURNAL, PARTIAL};
	struct scene *s = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlinkat(s->fd, names[i], 0);
	(void)unlinkat(s->fd, "src", AT_REMOVEDIR);
	(void)close(s->fd);
	assert_int_equal(rmdir(s->dir), 0);
	buf_release(&s->bundle);
	buf_release(&s->lines);
	free(s);
	return 0;
}

/* Take up what lies there; the code, and the payload's end in *ret. */
static int
again(struct scene *s, struct buf *ret, struct collect_totals *t)
{
	const struct resume_params q = {.dir = s->fd, .journal = JOURNAL,
	    .partial = PARTIAL, .collect = &s->o, .request = REQUEST,
	    .sealed_ok = true};
	struct collect_options o = s->o;
	struct evidence_params p = params(s, -1);
	struct evidence_writer *w = NULL;
	struct resume *r = NULL;
	int rc;

	err_reset(&s->e);
	s->redone[0] = '\0';
	if ((rc = resume_open(&q, &r, &s->e)) >= 0 &&
	    (rc = resume_writer(r, &p, &w, &s->e)) >= 0) {
		s->journal = resume_journal(r);
		o.journal = s->journal;
		o.resume = r;
		if ((rc = collect_run(&o, w, t, &s->e)) >= 0)
			rc = evidence_flush(w, &s->e);
		(void)snprintf(s->redone, sizeof(s->redone), "%s",
		    resume_redone(r));
	}
	evidence_writer_free(w);
	resume_free(r);
	if (rc < 0)
		return rc;
	buf_clear(ret);
	return fsio_read_file(s->fd, PARTIAL, 64 * MIB, ret, &s->e);
}

/* It came out as the whole run did. */
static void
is_equal(struct scene *s, const struct buf *now,
    const struct collect_totals *t)
{
	/* Its acquisition.json is its own when not even that was kept. */
	assert_true(now->len > s->payload);
	assert_memory_equal(now->p, s->bundle.p, s->payload);
	assert_int_equal(t->objects, 5);
	assert_int_equal(t->stored, 4);
	assert_int_equal(t->errors, 0);
	assert_int_equal(t->duplicates, 0);
	assert_int_equal(t->bytes, 10 + 3 * LIMIT_COPY_CHUNK + 5 + 700);
}

static void
a_journal_cut_at_every_line_gives_the_same(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	unsigned lines = 0;
	struct buf now;

	buf_init(&now, 64 * MIB);
	for (size_t n = 1; n <= s->lines.len; n++) {
		if (s->lines.p[n - 1] != '\n')
			continue;
		/* Head, acquisition.json, "began", and their commits. */
		if (++lines < 6)
			continue;
		put_back(s, JOURNAL, s->lines.p, n - lines % 3);
		put_back(s, PARTIAL, s->bundle.p, s->bundle.len);
		assert_int_equal(again(s, &now, &t), 0);
		is_equal(s, &now, &t);
		assert_string_equal(s->redone, "");
	}
	assert_true(lines > 15);
	buf_release(&now);
}

static void
a_partial_cut_anywhere_gives_the_same(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;

	buf_init(&now, 64 * MIB);
	for (size_t n = s->first; n < s->payload; n += 99991) {
		put_back(s, JOURNAL, s->lines.p, s->lines.len);
		put_back(s, PARTIAL, s->bundle.p, n);
		assert_int_equal(again(s, &now, &t), 0);
		is_equal(s, &now, &t);
		assert_string_not_equal(s->redone, "");
	}
	buf_release(&now);
}

static void
a_changed_byte_of_the_partial_is_found_and_redone(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;

	buf_init(&now, 64 * MIB);
	for (size_t n = s->first; n < s->payload; n += 77773) {
		put_back(s, JOURNAL, s->lines.p, s->lines.len);
		s->bundle.p[n] ^= 4;
		put_back(s, PARTIAL, s->bundle.p, s->bundle.len);
		s->bundle.p[n] ^= 4;
		assert_int_equal(again(s, &now, &t), 0);
		is_equal(s, &now, &t);
		assert_string_not_equal(s->redone, "");
	}
	buf_release(&now);
}

static void
a_changed_byte_of_the_journal_costs_what_follows_alone(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;
	int r;

	buf_init(&now, 64 * MIB);
	for (size_t n = 0; n < s->lines.len; n += 613) {
		s->lines.p[n] ^= 2;
		put_back(s, JOURNAL, s->lines.p, s->lines.len);
		s->lines.p[n] ^= 2;
		put_back(s, PARTIAL, s->bundle.p, s->bundle.len);
		/* In the head: refused.  Else as an undisturbed run. */
		r = again(s, &now, &t);
		if (r < 0) {
			assert_true(n < 700);
			continue;
		}
		assert_int_equal(t.objects, 5);
		assert_int_equal(t.stored, 4);
		assert_int_equal(t.duplicates, 0);
	}
	buf_release(&now);
}

static void
the_partial_of_something_else_is_not_touched(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;

	buf_init(&now, 64 * MIB);
	s->bundle.p[600] ^= 1;
	put_back(s, PARTIAL, s->bundle.p, s->bundle.len);
	assert_int_equal(again(s, &now, &t), ERR_VERIFY);
	assert_int_equal(fsio_read_file(s->fd, PARTIAL, 64 * MIB, &now,
	    NULL), 0);
	assert_int_equal(now.len, s->bundle.len);
	assert_memory_equal(now.p, s->bundle.p, now.len);
	buf_release(&now);
}

static void
another_request_or_examiner_is_refused(void **state)
{
	static const uint8_t other[32] = {8};
	struct scene *s = *state;
	struct resume_params q = {.dir = s->fd, .journal = JOURNAL,
	    .partial = PARTIAL, .collect = &s->o, .request = "{}"};
	struct resume *r = NULL;

	assert_int_equal(resume_open(&q, &r, &s->e), ERR_VERIFY);
	err_reset(&s->e);
	q.request = REQUEST;
	s->o.cert_sha256 = other;
	assert_int_equal(resume_open(&q, &r, &s->e), ERR_VERIFY);
	err_reset(&s->e);
	s->o.cert_sha256 = cert;
	s->o.bag = "X-E02";
	assert_int_equal(resume_open(&q, &r, &s->e), ERR_VERIFY);
	err_reset(&s->e);
	s->o.bag = "X-E01";
	s->o.digests |= DIGEST_SHA512;
	assert_int_equal(resume_open(&q, &r, &s->e), ERR_VERIFY);
	assert_null(r);
}

/* The place right behind the last cut inside of b. */
static size_t
last_cut(const struct scene *s)
{
	size_t at = 0, n = s->lines.len;
	const uint8_t *p = s->lines.p, *hit;

	while ((hit = memmem(p + at, n - at, "\"cut\":{", 7)) != NULL)
		at = (size_t)(hit - p) + 7;
	assert_true(at > 0);
	return (size_t)((uint8_t *)memchr(p + at, '\n', n - at) - p) + 1;
}

static void
a_cut_file_that_was_changed_is_begun_again(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;

	buf_init(&now, 64 * MIB);
	put_back(s, JOURNAL, s->lines.p, last_cut(s));
	put_file(s, "b", 3 * LIMIT_COPY_CHUNK + 5, 9);
	assert_int_equal(again(s, &now, &t), 0);
	assert_non_null(strstr(s->redone, "it was changed meanwhile"));
	assert_int_equal(t.stored, 4);
	assert_int_equal(t.objects, 5);
	buf_release(&now);
}

static void
a_finished_file_that_was_changed_is_kept_and_said(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;

	buf_init(&now, 64 * MIB);
	put_back(s, JOURNAL, s->lines.p, last_cut(s));
	put_file(s, "a", 11, 9);
	put_file(s, "e", 5, 9);
	assert_int_equal(again(s, &now, &t), 0);
	assert_int_equal(t.stored, 5);
	assert_non_null(memmem(now.p, now.len, "kept as taken", 13));
	assert_non_null(memmem(now.p, now.len, "\"what\":\"resumed\"", 16));
	buf_release(&now);
}

static void
what_is_no_longer_there_is_counted(void **state)
{
	struct scene *s = *state;
	struct collect_totals t;
	struct buf now;

	buf_init(&now, 64 * MIB);
	put_back(s, JOURNAL, s->lines.p, last_cut(s));
	assert_int_equal(unlinkat(s->fd, "src/a", 0), 0);
	assert_int_equal(again(s, &now, &t), 0);
	assert_int_equal(t.stored, 4);
	assert_non_null(memmem(now.p, now.len, "1 objects that were taken",
	    25));
	buf_release(&now);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_journal_cut_at_every_line_gives_the_same),
	    T(a_partial_cut_anywhere_gives_the_same),
	    T(a_changed_byte_of_the_partial_is_found_and_redone),
	    T(a_changed_byte_of_the_journal_costs_what_follows_alone),
	    T(the_partial_of_something_else_is_not_touched),
	    T(another_request_or_examiner_is_refused),
	    T(a_cut_file_that_was_changed_is_begun_again),
	    T(a_finished_file_that_was_changed_is_kept_and_said),
	    T(what_is_no_longer_there_is_counted)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
