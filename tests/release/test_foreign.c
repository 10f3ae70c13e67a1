#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/buf.h"
#include "base/frame.h"
#include "base/proc.h"
#include "collector/transport.h"
#include "custody/digest.h"
#include "custody/tar_frames.h"
#include "tests/unit/body_fixture.h"

/*
 * A worker that was taken over by the tar that it reads: whatever frames it
 * sends, the bundle is refused or is a sound one; nothing else happens.
 */
struct script {
	void (*say)(struct buf *all);
};

static void
seal(struct buf *all, struct buf *f)
{
	BODY_NEED(frame_seal(f, NULL) == 0);
	buf_put(all, f->p, f->len);
	buf_release(f);
}

static void
entry_of(struct buf *all, uint32_t kind, const void *name, size_t n,
    uint64_t size)
{
	struct buf f;

	buf_init(&f, LIMIT_FRAME);
	frame_begin(&f, TAR_ENTRY);
	frame_put_u32(&f, TAR_KIND, kind);
	frame_put_u32(&f, TAR_TYPE, '0');
	frame_put(&f, TAR_NAME, name, n);
	frame_put_u64(&f, TAR_SIZE, size);
	frame_put_u64(&f, TAR_STORED, size);
	frame_put_u64(&f, TAR_MODE, UINT64_MAX);
	frame_put_u64(&f, TAR_UID, UINT64_MAX);
	frame_put_u64(&f, TAR_GID, UINT64_MAX);
	frame_put_u64(&f, TAR_MTIME, UINT64_MAX);
	frame_put_u64(&f, TAR_MTIME_NS, 999999999);
	frame_put_u64(&f, TAR_OFFSET, UINT64_MAX);
	frame_put_u64(&f, TAR_DATA_OFFSET, 0);
	seal(all, &f);
}

static void
entry(struct buf *all, const char *name, uint64_t size)
{
	entry_of(all, TAR_KIND_FILE, name, strlen(name), size);
}

static void
data(struct buf *all, size_t n)
{
	static const uint8_t bytes[1000];
	struct buf f;

	buf_init(&f, LIMIT_FRAME);
	frame_begin(&f, TAR_DATA);
	frame_put(&f, TAR_BYTES, bytes, n);
	seal(all, &f);
}

static void
number(struct buf *all, uint8_t type, uint8_t tag, uint32_t v)
{
	struct buf f;

	buf_init(&f, 4096);
	frame_begin(&f, type);
	frame_put_u32(&f, tag, v);
	seal(all, &f);
}

static void end(struct buf *b) { number(b, TAR_END, TAR_SHORT, 0); }
static void done(struct buf *b) { number(b, TAR_DONE, TAR_HOW, TAR_ENDED); }

static void
file(struct buf *b, const char *name)
{
	entry(b, name, 3);
	data(b, 3);
	end(b);
}

/* --- refused -------------------------------------------------------------- */
static void nothing(struct buf *b) { (void)b; }
static void garbage(struct buf *b) { buf_puts(b, "\377\377\377\377x"); }
static void unknown(struct buf *b) { number(b, 77, 1, 1); }
static void data_alone(struct buf *b) { data(b, 1); }
static void end_alone(struct buf *b) { end(b); }
static void too_much(struct buf *b) { entry(b, "a", 1); data(b, 2); }
static void vast(struct buf *b) { entry(b, "a", UINT64_MAX); }
static void ends_within(struct buf *b) { entry(b, "a", 1); }
static void no_done(struct buf *b) { file(b, "a"); }
static void bad_done(struct buf *b) { number(b, TAR_DONE, TAR_HOW, 99); }

static void
two_entries(struct buf *b)
{
	entry(b, "a", 1);
	entry(b, "b", 1);
}

static void
too_little(struct buf *b)
{
	entry(b, "a", 2);
	data(b, 1);
	end(b);
	done(b);
}

static void
done_within(struct buf *b)
{
	entry(b, "a", 2);
	done(b);
}

static void
more_behind(struct buf *b)
{
	done(b);
	file(b, "a");
}

static void
bad_kind(struct buf *b)
{
	entry_of(b, TAR_KIND_COUNT, "a", 1, 0);
}

static void
folder_with_data(struct buf *b)
{
	entry_of(b, TAR_KIND_DIRECTORY, "d", 1, 0);
	data(b, 1);
}

/* --- taken ---------------------------------------------------------------- */
static void
names(struct buf *b)
{
	static const char *const odd[] = {"a", "a", "a/b", "../../x", "/", "//",
	    ".", "..", "a/", "x//y", "exhibit-tar/18446744073709551615", "\n",
	    "\377", "seal/seal.txt", "\\", "=2E"};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		file(b, odd[i]);
	entry_of(b, TAR_KIND_FILE, "nul\0nul", 7, 0);
	end(b);
	entry_of(b, TAR_KIND_DIRECTORY, "with content/", 13, 3);
	data(b, 3);
	end(b);
	done(b);
}

static void
longest(struct buf *b)
{
	static char name[LIMIT_TAR_NAME];

	memset(name, '/', sizeof(name));
	entry_of(b, TAR_KIND_FILE, name, sizeof(name), 0);
	end(b);
	memset(name, '\n', sizeof(name));
	entry_of(b, TAR_KIND_FILE, name, sizeof(name), 0);
	end(b);
	done(b);
}

static void
cut(struct buf *b)
{
	entry(b, "a", 1000);
	data(b, 10);
	number(b, TAR_END, TAR_SHORT, 1);
	number(b, TAR_DONE, TAR_HOW, TAR_CUT);
}

static int
say(void *arg, int out_fd)
{
	const struct script *s = arg;
	struct buf all;

	buf_init(&all, 16 * MIB);
	s->say(&all);
	return write(out_fd, all.p, all.len) != (ssize_t)all.len;
}

static int
take(void (*what)(struct buf *), struct collect_totals *totals, size_t *size)
{
	const struct collect_source source = {.class = BAG_OTHER,
	    .path = "-"};
	const struct collect_options o = {.bag = "T-E01", .digests =
	    DIGEST_SHA256, .examiner = "E", .tool = "test",
	    .sources = &source, .nsources = 1, .in_memory = true};
	int out = body_memfd("", 0), null = open("/dev/null", O_RDWR), rc;
	const struct evidence_params p = {.fd = out, .bag = "T-E01",
	    .digests = DIGEST_SHA256, .header_mtime = BODY_TIME,
	    .tool = "test"};
	struct transport t = {.kind = "tar", .from = "-"};
	struct proc pump = {.fd = -1}, worker = {.fd = -1};
	struct foreign foreign = {&worker, &pump, &t};
	struct script script = {what};
	struct evidence_writer *w;
	struct err e = ERR_INIT;
	int status;

	assert_int_equal(pump_start(&pump, null, null, NULL), 0);
	assert_int_equal(proc_spawn(&worker, say, &script, NULL, 0, 0, NULL),
	    0);
	assert_int_equal(evidence_writer_new(&p, &w, NULL), 0);
	rc = foreign_tar(&foreign, &o, w, totals, &e);
	assert_true((rc < 0) == (e.code != ERR_OK));
	if (rc >= 0)
		assert_int_equal(evidence_finish_body(w,
		    &(struct bagtext_body){0}, NULL), 0);
	*size = (size_t)lseek(out, 0, SEEK_END);
	if (rc >= 0) {
		uint8_t *all = malloc(*size);

		assert_non_null(all);
		assert_int_equal(pread(out, all, *size, 0), (ssize_t)*size);
		/* The strict reader takes it: every name, every header. */
		assert_int_equal(body_try(all, *size, true, NULL), 0);
		free(all);
	}
	evidence_writer_free(w);
	for (unsigned i = 0; i < 2; i++) {
		struct proc *q = i == 0 ? &pump : &worker;

		if (q->pid != 0) {
			proc_kill(q);
			(void)proc_wait(q, &status);
		}
	}
	(void)close(out);
	(void)close(null);
	return rc;
}

static void
frames_out_of_order_are_refused(void **state)
{
	static void (*const what[])(struct buf *) = {nothing, garbage, unknown,
	    data_alone, end_alone, too_much, vast, ends_within, no_done,
	    bad_done, two_entries, too_little, done_within, more_behind,
	    bad_kind, folder_with_data};
	struct collect_totals totals;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		assert_true(take(what[i], &totals, &size) < 0);
}

static void
any_names_become_members(void **state)
{
	struct collect_totals totals;
	size_t size;

	(void)state;
	assert_int_equal(take(names, &totals, &size), 0);
	assert_int_equal(totals.stored, 18);
	assert_int_equal(totals.objects, 18);
	assert_int_equal(take(longest, &totals, &size), 0);
	assert_int_equal(totals.stored, 2);
}

static void
what_is_cut_is_an_error_of_the_collection(void **state)
{
	struct collect_totals totals;
	size_t size;

	(void)state;
	assert_int_equal(take(cut, &totals, &size), 0);
	assert_int_equal(totals.stored, 1);
	assert_int_equal(totals.errors, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_out_of_order_are_refused),
	    cmocka_unit_test(any_names_become_members),
	    cmocka_unit_test(what_is_cut_is_an_error_of_the_collection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
