#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/frame.h"
#include "base/proc.h"
#include "collector/transport.h"
#include "custody/digest.h"
#include "tests/unit/body_fixture.h"

/*
 * A body through pump and worker, in their fences, into a second writer: that
 * needs the release build.
 */
struct scene {
	struct proc pump, worker;
	struct transport t;
	struct collect_totals totals;
	int out;		/* what the second writer wrote */
	struct err e;
	bool with_ended;
	int ended_result;
};

static int
ended(void *ctx, struct transport *t, struct err *e)
{
	struct scene *s = ctx;

	t->has_status = true;
	return s->ended_result < 0 ? err_set(e, ERR_CHILD, "ended badly") : 0;
}

static void
end(struct proc *p)
{
	int status;

	if (p->pid == 0)
		return;
	proc_kill(p);
	(void)proc_wait(p, &status);
}

/* The sealing side, with what comes out of ${s->worker}. */
static int
receive(struct scene *s, unsigned digests, const char *bag)
{
	const struct collect_options o = {.bag = bag, .digests = digests,
	    .header_time = BODY_TIME, .examiner = "E", .tool = "test 2"};
	const struct receive r = {&s->worker, &s->pump, &s->t,
	    s->with_ended ? ended : NULL, s};
	struct evidence_params p = {.bag = bag, .digests = digests,
	    .header_mtime = BODY_TIME, .tool = "test 2"};
	struct evidence_writer *w;
	int rc;

	s->t = (struct transport){.kind = "ssh", .from = "there"};
	s->out = p.fd = body_memfd("", 0);
	assert_int_equal(evidence_writer_new(&p, &w, NULL), 0);
	rc = receive_body((void *)(uintptr_t)&r, &o, w, &s->totals, &s->e);
	/* What is pending must be seen by who compares. */
	if (rc >= 0)
		assert_int_equal(evidence_finish_body(w,
		    &(struct bagtext_body){0}, NULL), 0);
	evidence_writer_free(w);
	return rc;
}

static int
through(struct scene *s, const uint8_t *p, size_t n, unsigned digests,
    const char *bag)
{
	struct body_job j;
	int in = body_memfd(p, n), feed[2], rc;

	memset(s, 0, sizeof(*s));
	s->e = (struct err)ERR_INIT;
	assert_int_equal(pipe2(feed, O_CLOEXEC), 0);
	j.fd = feed[0];
	assert_int_equal(pump_start(&s->pump, in, feed[1], NULL), 0);
	assert_int_equal(proc_spawn(&s->worker, body_worker, &j, &j.fd, 1, 0,
	    NULL), 0);
	(void)close(in);
	(void)close(feed[0]);
	(void)close(feed[1]);
	rc = receive(s, digests, bag);
	end(&s->pump);
	end(&s->worker);
	(void)close(s->out);
	return rc;
}

static void
what_is_written_here_are_the_bytes_from_there(void **state)
{
	static const unsigned sets[] = {DIGEST_SHA256,
	    DIGEST_SHA256 | DIGEST_SHA512};
	struct digests d;
	struct scene s;
	struct body t;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		for (unsigned members = 0; members < 3; members++) {
			body_make(&t, sets[i], members);
			assert_int_equal(through(&s, t.p, t.n, sets[i],
			    "T-E01"), 0);
			assert_true(s.t.stream_size == t.n);
			assert_int_equal(digest_mem(t.p, t.n, DIGEST_SHA256,
			    &d, NULL), 0);
			assert_memory_equal(s.t.stream_sha256, d.sha256, 32);
			/* The records' digest is that of the first bytes. */
			assert_true(s.t.records_len < t.n);
			assert_int_equal(digest_mem(t.p,
			    (size_t)s.t.records_len, DIGEST_SHA256, &d,
			    NULL), 0);
			assert_memory_equal(s.t.records_sha256, d.sha256, 32);
			assert_true(s.totals.objects == 7 &&
			    s.totals.errors == 1 && s.totals.changed == 2 &&
			    s.totals.stored == members);
			assert_string_equal(s.t.agent, "test 1");
			free(t.p);
		}
}

static void
every_changed_byte_is_refused_or_another_statement(void **state)
{
	struct scene s, was;
	unsigned stated = 0;
	struct body t;

	(void)state;
	body_make(&t, DIGEST_SHA256, 2);
	assert_int_equal(through(&was, t.p, t.n, DIGEST_SHA256, "T-E01"), 0);
	for (size_t i = 0; i < t.n; i += 11) {
		t.p[i] ^= 1;
		if (through(&s, t.p, t.n, DIGEST_SHA256, "T-E01") < 0) {
			assert_int_equal(s.e.code, ERR_VERIFY);
		} else {
			/* The program's name, or a count, is another one. */
			stated++;
			assert_true(strcmp(s.t.agent, was.t.agent) != 0 ||
			    memcmp(&s.totals, &was.totals,
			    sizeof(s.totals)) != 0);
		}
		t.p[i] ^= 1;
	}
	assert_in_range(stated, 0, 12);
	free(t.p);
}

static void
another_bag_set_or_end_is_refused(void **state)
{
	struct scene s;
	struct body t;

	(void)state;
	body_make(&t, DIGEST_SHA256, 2);
	assert_int_equal(through(&s, t.p, t.n, DIGEST_SHA256, "T-E02"),
	    ERR_VERIFY);
	assert_int_equal(through(&s, t.p, t.n, DIGEST_SHA256 | DIGEST_SHA512,
	    "T-E01"), ERR_VERIFY);
	assert_int_equal(through(&s, t.p, t.n / 2, DIGEST_SHA256, "T-E01"),
	    ERR_VERIFY);
	assert_int_equal(through(&s, t.p, 0, DIGEST_SHA256, "T-E01"),
	    ERR_VERIFY);
	free(t.p);
	body_make(&t, DIGEST_SHA256 | DIGEST_SHA512, 2);
	assert_int_equal(through(&s, t.p, t.n, DIGEST_SHA256, "T-E01"),
	    ERR_VERIFY);
	free(t.p);
}

/* --- a worker that was taken over ----------------------------------------- */

struct script {
	void (*say)(struct buf *all);
};

static void
seal(struct buf *all, struct buf *f)
{
	BODY_NEED(frame_seal(f, NULL) == 0);
	buf_put(all, f->p, f->len);
}

static void
head(struct buf *all)
{
	struct buf f;

	buf_init(&f, 4096);
	frame_begin(&f, BODY_HEAD);
	frame_put_str(&f, BODY_BAG, "T-E01");
	frame_put_u64(&f, BODY_MTIME, BODY_TIME);
	seal(all, &f);
	buf_release(&f);
}

static void
member(struct buf *all, const char *name, uint64_t size)
{
	struct buf f;

	buf_init(&f, 4096);
	frame_begin(&f, BODY_MEMBER);
	frame_put_str(&f, BODY_NAME, name);
	frame_put_u64(&f, BODY_SIZE, size);
	frame_put_u64(&f, BODY_MTIME, 1);
	seal(all, &f);
	buf_release(&f);
}

static void
data(struct buf *all, const char *text)
{
	struct buf f;

	buf_init(&f, 4096);
	frame_begin(&f, BODY_DATA);
	frame_put_str(&f, BODY_BYTES, text);
	seal(all, &f);
	buf_release(&f);
}

static void
bare(struct buf *all, uint8_t type)
{
	struct buf f;

	buf_init(&f, 4096);
	frame_begin(&f, type);
	seal(all, &f);
	buf_release(&f);
}

static void
start(struct buf *all)
{
	head(all);
	member(all, BAG_ACQUISITION, 2);
	data(all, "{}");
	bare(all, BODY_END);
}

static void
body(struct buf *all, bool whole)
{
	static const uint8_t zero[32];
	struct buf f;

	buf_init(&f, 4096);
	frame_begin(&f, BODY_BODY);
	frame_put(&f, BODY_MANIFEST256, zero, 32);
	frame_put_str(&f, BODY_AGENT, "x");
	frame_put_u64(&f, BODY_LENGTH, 3);
	frame_put(&f, BODY_SHA256, zero, whole ? 32 : 31);
	for (uint8_t i = BODY_OBJECTS; i <= BODY_DUPLICATES; i++)
		frame_put_u64(&f, i, UINT64_MAX);
	seal(all, &f);
	buf_release(&f);
}

static void nothing(struct buf *b) { (void)b; }
static void garbage(struct buf *b) { buf_puts(b, "\377\377\377\377x"); }
static void unknown(struct buf *b) { head(b); bare(b, 99); }
static void two_heads(struct buf *b) { head(b); head(b); }
static void no_head(struct buf *b) { member(b, BAG_ACQUISITION, 2); }
static void body_first(struct buf *b) { body(b, true); }
static void body_in_head(struct buf *b) { head(b); body(b, true); }
static void data_alone(struct buf *b) { start(b); data(b, "x"); }
static void end_alone(struct buf *b) { start(b); bare(b, BODY_END); }
static void no_acquisition(struct buf *b) { head(b); member(b, "data/weights/a", 1); }
static void vast(struct buf *b) { head(b); member(b, BAG_ACQUISITION, UINT64_MAX); }

static void
second_acquisition(struct buf *b)
{
	start(b);
	member(b, BAG_ACQUISITION, 2);
}

static void
too_much(struct buf *b)
{
	start(b);
	member(b, "data/weights/a", 1);
	data(b, "xy");
}

static void
too_little(struct buf *b)
{
	start(b);
	member(b, "data/weights/a", 2);
	data(b, "x");
	bare(b, BODY_END);
}

static void
member_in_member(struct buf *b)
{
	start(b);
	member(b, "data/weights/a", 2);
	member(b, "data/weights/b", 2);
}

static void
payload_behind_records(struct buf *b)
{
	start(b);
	member(b, BAG_FILES, 0);
	bare(b, BODY_END);
	member(b, "data/weights/a", 0);
}

static void
ends_in_member(struct buf *b)
{
	start(b);
	member(b, "data/weights/a", 2);
}

static void
body_in_member(struct buf *b)
{
	start(b);
	member(b, "data/weights/a", 0);
	body(b, true);
}

static void
half_a_body(struct buf *b)
{
	start(b);
	body(b, false);
}

static void
lying_body(struct buf *b)
{
	start(b);
	body(b, true);
}

static void
name(struct buf *b, const char *n)
{
	start(b);
	member(b, n, 0);
}

static void up(struct buf *b) { name(b, "data/weights/../../x"); }
static void outside(struct buf *b) { name(b, "seal/seal.txt"); }
static void slash(struct buf *b) { name(b, "data/weights//x"); }
static void keep(struct buf *b) { name(b, BAG_KEEP); }
static void ours(struct buf *b) { name(b, BAG_TRANSPORT); }
static void pki(struct buf *b) { name(b, BAG_PKI "tsa.pem"); }
static void container(struct buf *b) { name(b, BAG_CONTAINER); }
static void howto(struct buf *b) { name(b, BAG_HOWTO); }

static void
twice(struct buf *b)
{
	start(b);
	for (unsigned i = 0; i < 2; i++) {
		member(b, "data/weights/a", 0);
		bare(b, BODY_END);
	}
}

static int
taken_over(void *arg, int out_fd)
{
	const struct script *s = arg;
	struct buf all;

	buf_init(&all, MIB);
	s->say(&all);
	return write(out_fd, all.p, all.len) < 0;
}

static int
idle(void *arg, int out_fd)
{
	(void)arg;
	(void)out_fd;
	return 0;
}

static void
no_frames_of_a_worker_do_harm(void **state)
{
	static void (*const say[])(struct buf *) = {nothing, garbage, unknown,
	    two_heads, no_head, body_first, body_in_head, data_alone,
	    end_alone, no_acquisition, vast, second_acquisition, too_much,
	    too_little, member_in_member, payload_behind_records,
	    ends_in_member, body_in_member, half_a_body, lying_body, up,
	    outside, slash, keep, ours, pki, container, howto, twice};
	struct script script;
	struct scene s;

	(void)state;
	for (size_t i = 0; i < sizeof(say) / sizeof(say[0]); i++) {
		memset(&s, 0, sizeof(s));
		script.say = say[i];
		assert_int_equal(proc_spawn(&s.pump, idle, NULL, NULL, 0, 0,
		    NULL), 0);
		assert_int_equal(proc_spawn(&s.worker, taken_over, &script,
		    NULL, 0, 0, NULL), 0);
		assert_true(receive(&s, DIGEST_SHA256, "T-E01") < 0);
		assert_true(s.e.code != ERR_OK && s.e.msg[0] != '\0');
		end(&s.pump);
		end(&s.worker);
		(void)close(s.out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_here_are_the_bytes_from_there),
	    cmocka_unit_test(
		every_changed_byte_is_refused_or_another_statement),
	    cmocka_unit_test(another_bag_set_or_end_is_refused),
	    cmocka_unit_test(no_frames_of_a_worker_do_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
