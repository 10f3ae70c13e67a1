#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "analyzer/intake/members.h"
#include "analyzer/intake/outbox.h"
#include "base/bytesrc.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "collector/intake.h"
#include "custody/derive.h"
#include "tests/unit/collect_fixture.h"

/*
 * Workers that read what was taken from the bundle that is being written, and
 * what becomes of those that fail.  The fence needs the release build.
 */
static const struct field_def columns[] = {{"path", FIELD_TEXT},
    {"first", FIELD_TEXT}, {"size", FIELD_U64}};

/* A line for each stored member: its path and its first bytes. */
static int
tell(struct members *m, struct outbox *out, struct err *e)
{
	struct field v[3] = {{0}};
	struct bytesrc *src;
	uint8_t head[4];
	int r;

	for (size_t i = 0; i < m->n; i++) {
		if (members_open(m, &m->v[i], &src, NULL) < 0)
			continue;
		if ((r = bytesrc_read(src, 0, head, sizeof(head), e)) < 0)
			return r;
		fields_text(&v[0], m->v[i].path, m->v[i].path_len);
		fields_text(&v[1], head, sizeof(head));
		fields_u64(&v[2], bytesrc_size(src));
		bytesrc_free(src);
		if ((r = outbox_send(out, 1, columns, 3, v, e)) < 0)
			return r;
	}
	return outbox_flush(out, e);
}

static int
good_main(void *arg, int out_fd)
{
	struct members m;
	struct arena *a = arena_new(MIB);
	struct outbox out;
	struct err e = ERR_INIT;

	if (members_receive(&m, arg, &e) < 0 ||
	    members_fence(out_fd, &e) < 0 ||
	    members_load(&m, 1U << BAG_REGISTRY, a, &e) < 0)
		return 2;
	outbox_init(&out, out_fd);
	return tell(&m, &out, &e) < 0 ? 1 : 0;
}

/* One good line, then an end that is none. */
static int
dying_main(void *arg, int out_fd)
{
	int r = good_main(arg, out_fd);

	if (r == 0)
		(void)raise(SIGSEGV);	/* kill is not on the list: SIGSYS */
	return r;
}

static int
failing_main(void *arg, int out_fd)
{
	(void)arg;
	(void)out_fd;
	return 3;
}

/* Moves the record's position, as one that was taken over could. */
static int
moving_main(void *arg, int out_fd)
{
	struct members m;
	struct err e = ERR_INIT;

	if (members_receive(&m, arg, &e) < 0 ||
	    (fcntl(m.files_fd, F_GETFL) & O_ACCMODE) != O_RDONLY ||
	    members_fence(out_fd, &e) < 0 || lseek(m.files_fd, 0, SEEK_SET) < 0)
		return 2;
	return 0;
}

static int
lying_main(void *arg, int out_fd)
{
	struct members m;
	struct outbox out;
	struct err e = ERR_INIT;

	if (members_receive(&m, arg, &e) < 0 || members_fence(out_fd, &e) < 0)
		return 2;
	outbox_init(&out, out_fd);
	(void)outbox_send(&out, 7, NULL, 0, NULL, &e);
	(void)outbox_flush(&out, &e);
	for (;;)
		;	/* until the parent has had enough */
}

static int
line(const struct frame *f, const char **name, struct buf *b, struct err *e)
{
	struct field v[3];
	struct json_write w;

	if (f->type != 1 || !fields_get(f, columns, 3, v, NULL, 0))
		return err_set(e, ERR_FORMAT, "no such frame");
	*name = DERIVE_REGISTRY;
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	fields_json(&w, columns, 3, v);
	json_end_object(&w);
	return 0;
}

/* A bundle of two files in memory, and what the worker made of them. */
static void
run_kind(struct scene *s, int (*main)(void *, int), const char *result,
    uint64_t lines, uint64_t errors, bool stream)
{
	const struct intake_kind kind = {"registry", 1U << BAG_REGISTRY, NULL, main,
	    line};
	struct collect_source src[2];
	struct intake *in;
	struct buf b;
	struct json_write w;
	char want[160];

	put(s, "a", (const uint8_t *)"abcdef", 6);
	put(s, "b", (const uint8_t *)"bcdefghi", 8);
	src[0] = (struct collect_source){.class = BAG_REGISTRY,
	    .path = strdup(at(s, "a"))};
	src[1] = (struct collect_source){.class = BAG_WEIGHTS,
	    .path = strdup(at(s, "b"))};
	s->o.bundle_fd = stream ? -1 : s->fd;
	assert_int_equal(intake_start(&kind, 1, &in, &s->e), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(walk_source(&s->c, &src[i]), 0);
	assert_int_equal(intake_run(in, &s->c), 0);
	assert_int_equal(s->c.totals.errors, errors);
	assert_int_equal(record_store(&s->c, &s->c.errors, BAG_ERRORS), 0);
	assert_int_equal(record_store(&s->c, &s->c.log, BAG_LOG), 0);
	buf_init(&b, KIB);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	intake_facts(in, &w);
	json_end_object(&w);
	(void)snprintf(want, sizeof(want), "{\"derived\":[{\"kind\":"
	    "\"registry\",\"result\":\"%s\",\"why\":%s", result,
	    errors == 0 ? "null," : "\"the process that reads them ");
	assert_memory_equal(buf_str(&b), want, strlen(want));
	(void)snprintf(want, sizeof(want), ",\"lines\":%llu}]}",
	    (unsigned long long)lines);
	assert_string_equal(buf_str(&b) + b.len - strlen(want), want);
	buf_release(&b);
	intake_free(in);
	free((void *)(uintptr_t)src[0].path);
	free((void *)(uintptr_t)src[1].path);
}

/* Does the bundle hold these bytes? */
static bool
holds(struct scene *s, const char *text)
{
	struct stat st;
	uint8_t *p;
	bool found;

	assert_int_equal(evidence_flush(s->w, &s->e), 0);
	assert_int_equal(fstat(s->fd, &st), 0);
	p = malloc((size_t)st.st_size);
	assert_int_equal(pread(s->fd, p, (size_t)st.st_size, 0), st.st_size);
	found = memmem(p, (size_t)st.st_size, text, strlen(text)) != NULL;
	free(p);
	return found;
}

static void
a_worker_reads_its_class_from_the_bundle(void **state)
{
	struct scene *s = *state;

	run_kind(s, good_main, "read to the end", 1, 0, false);
	assert_true(holds(s, "/a\",\"first\":\"abcd\",\"size\":6}\n"));
	assert_true(holds(s, DERIVE_REGISTRY));
	assert_false(holds(s, "\"first\":\"bcde\""));
}

static void
what_it_said_before_it_died_stands(void **state)
{
	struct scene *s = *state;

	run_kind(s, dying_main, "incomplete", 1, 1, false);
	assert_true(holds(s, "/a\",\"first\":\"abcd\",\"size\":6}\n"));
	assert_true(holds(s, "was ended by a signal"));
}

static void
one_that_fails_is_an_error_of_the_collection(void **state)
{
	struct scene *s = *state;

	run_kind(s, failing_main, "incomplete", 0, 1, false);
	assert_false(holds(s, DERIVE_REGISTRY));
	assert_true(holds(s, "the process that reads them failed"));
}

static void
one_that_lies_is_ended(void **state)
{
	struct scene *s = *state;

	run_kind(s, lying_main, "incomplete", 0, 1, false);
	assert_true(holds(s, "sent what it may not"));
}

static void
none_can_write_or_move_the_record(void **state)
{
	struct scene *s = *state;
	off_t was;

	run_kind(s, moving_main, "read to the end", 0, 0, false);
	was = lseek(s->c.files.fd, 0, SEEK_CUR);
	assert_true(was > 0);
	assert_int_equal(lseek(s->c.files.fd, 0, SEEK_END), was);
}

static void
of_a_stream_nothing_is_said(void **state)
{
	struct scene *s = *state;

	run_kind(s, good_main, "left to who reads the bundle: it was a "
	    "stream", 0, 0, true);
	assert_true(holds(s, "not interpreted: the bundle is a stream"));
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, scene_setup, \
	scene_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE(a_worker_reads_its_class_from_the_bundle),
	    SCENE(what_it_said_before_it_died_stands),
	    SCENE(one_that_fails_is_an_error_of_the_collection),
	    SCENE(one_that_lies_is_ended),
	    SCENE(none_can_write_or_move_the_record),
	    SCENE(of_a_stream_nothing_is_said)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
