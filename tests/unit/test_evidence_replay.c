#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "custody/bag.h"
#include "custody/digest.h"
#include "custody/evidence_write.h"

#define MEMBERS 5

/* What a journal would keep. */
struct kept {
	struct evidence_note note[MEMBERS + 1];
	char name[MEMBERS + 1][64];
	uint64_t end[MEMBERS + 1];
	unsigned n;
};

static int
keep(void *ctx, const struct evidence_note *m, struct err *e)
{
	struct kept *k = ctx;

	(void)e;
	assert_true(k->n <= MEMBERS);
	(void)snprintf(k->name[k->n], sizeof(k->name[0]), "%s", m->name);
	k->note[k->n] = *m;
	k->note[k->n].name = k->name[k->n];
	k->n++;
	return 0;
}

static struct evidence_writer *
writer(int fd, struct kept *k, bool replay)
{
	const struct evidence_params p = {.fd = fd, .bag = "CASE-E01",
	    .digests = DIGEST_SHA256 | DIGEST_SHA512,
	    .header_mtime = 1774353600, .external_id = "CASE-E01",
	    .tool = "exhibit test", .note = keep, .note_ctx = k,
	    .replay = replay};
	struct evidence_writer *w = NULL;

	assert_int_equal(evidence_writer_new(&p, &w, NULL), 0);
	return w;
}

/* Member ${i}: some 300 KiB of it, or a few bytes. */
static size_t
content(unsigned i, uint8_t *p)
{
	size_t n = i == 2 ? 300000 : 100 * i;

	for (size_t k = 0; k < n; k++)
		p[k] = (uint8_t)(k * 31 + i);
	return n;
}

static void
put_member(struct evidence_writer *w, unsigned i)
{
	static uint8_t p[300000];
	struct evidence_place place;
	uint64_t short_by;
	char name[64];
	size_t n = content(i, p);

	(void)snprintf(name, sizeof(name), "data/weights/m%u", i);
	assert_int_equal(evidence_begin(w, name, n, 1000 + (int)i, NULL), 0);
	assert_int_equal(evidence_put(w, p, n, NULL), 0);
	assert_int_equal(evidence_end(w, &place, &short_by, NULL), 0);
}

static struct evidence_state
whole(int fd, struct kept *k)
{
	struct evidence_writer *w = writer(fd, k, false);
	struct evidence_state s;

	assert_int_equal(evidence_tag(w, BAG_ACQUISITION, "{}\n", 3, NULL),
	    0);
	k->end[0] = evidence_written(w);
	for (unsigned i = 0; i < MEMBERS; i++) {
		put_member(w, i);
		k->end[i + 1] = evidence_written(w);
	}
	assert_int_equal(evidence_so_far(w, &s, NULL), 0);
	evidence_writer_free(w);
	return s;
}

static void
a_writer_goes_on_behind_any_member(void **state)
{
	struct kept k = {.n = 0}, again;
	struct evidence_writer *w;
	struct evidence_state s, now;
	struct digests d;
	int fd;

	(void)state;
	assert_true((fd = memfd_create("bundle", MFD_CLOEXEC)) >= 0);
	s = whole(fd, &k);
	for (unsigned cut = 0; cut <= MEMBERS; cut++) {
		again = (struct kept){.n = 0};
		w = writer(fd, &again, true);
		for (unsigned i = 0; i <= cut; i++) {
			assert_int_equal(evidence_replay_member(w,
			    &k.note[i], k.note[i].size, &d, NULL), 0);
			assert_memory_equal(&d, &k.note[i].place.digests,
			    sizeof(d));
			assert_int_equal(evidence_written(w), k.end[i]);
		}
		assert_int_equal(again.n, 0);
		assert_int_equal(evidence_replay_end(w, NULL), 0);
		for (unsigned i = cut; i < MEMBERS; i++)
			put_member(w, i);
		assert_int_equal(again.n, MEMBERS - cut);
		assert_int_equal(evidence_so_far(w, &now, NULL), 0);
		assert_memory_equal(&now, &s, sizeof(s));
		assert_int_equal(evidence_flush(w, NULL), 0);
		evidence_writer_free(w);
	}
	(void)close(fd);
}

static void
a_writer_goes_on_inside_of_a_member(void **state)
{
	static uint8_t p[300000];
	struct kept k = {.n = 0}, again = {.n = 0};
	const size_t n = content(2, p), at = 200001;
	struct evidence_state s, now;
	struct evidence_writer *w;
	struct evidence_place place;
	struct evidence_note m;
	uint64_t short_by;
	struct digests d;
	int fd;

	(void)state;
	assert_true((fd = memfd_create("bundle", MFD_CLOEXEC)) >= 0);
	s = whole(fd, &k);
	assert_int_equal(ftruncate(fd, (off_t)(k.note[3].place.data_offset +
	    at + 77)), 0);
	w = writer(fd, &again, true);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(evidence_replay_member(w, &k.note[i],
		    k.note[i].size, &d, NULL), 0);
	assert_true(evidence_between(w));
	assert_int_equal(evidence_replay_member(w, &k.note[3], at, &d, NULL),
	    0);
	assert_false(evidence_between(w));
	assert_int_equal(evidence_inside(w, &m, NULL), 0);
	assert_memory_equal(m.place.digests.sha256, d.sha256, 32);
	assert_int_equal(evidence_replay_end(w, NULL), 0);
	assert_int_equal(evidence_put(w, p + at, n - at, NULL), 0);
	assert_int_equal(evidence_end(w, &place, &short_by, NULL), 0);
	assert_int_equal(short_by, 0);
	put_member(w, 3);
	put_member(w, 4);
	assert_int_equal(evidence_so_far(w, &now, NULL), 0);
	assert_memory_equal(&now, &s, sizeof(s));
	evidence_writer_free(w);
	(void)close(fd);
}

/* Any byte of headers, padding and tag files; content is the caller's. */
static void
what_differs_is_refused(void **state)
{
	struct kept k = {.n = 0}, again;
	struct evidence_writer *w = NULL;
	struct digests d;
	uint8_t c, x;
	int fd, r;

	(void)state;
	assert_true((fd = memfd_create("bundle", MFD_CLOEXEC)) >= 0);
	(void)whole(fd, &k);
	for (uint64_t at = 1024; at < k.end[2]; at += 7) {
		assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
		x = c ^ 1;
		assert_int_equal(pwrite(fd, &x, 1, (off_t)at), 1);
		again = (struct kept){.n = 0};
		w = writer(fd, &again, true);
		r = 0;
		for (unsigned i = 0; i < 3 && r == 0; i++) {
			r = evidence_replay_member(w, &k.note[i],
			    k.note[i].size, &d, NULL);
			if (r == 0 && memcmp(&d, &k.note[i].place.digests,
			    sizeof(d)) != 0)
				r = ERR_VERIFY;
		}
		assert_int_equal(r, ERR_VERIFY);
		evidence_writer_free(w);
		assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
	}
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_writer_goes_on_behind_any_member),
	    cmocka_unit_test(a_writer_goes_on_inside_of_a_member),
	    cmocka_unit_test(what_differs_is_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
