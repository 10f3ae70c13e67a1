#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "collector/acquire.h"
#include "tests/unit/bundle_fixture.h"
#include "tests/unit/collect_fixture.h"

/*
 * From sources to a file with its name.  What lies on the disk is verified in
 * a fenced worker: that needs the release build.
 */
#define NAME "CASE-E01.tar"

static struct bundle_keys keys;

/* A scene with a source "src" of one file, and a place "out". */
struct place {
	struct scene *s;
	struct collect_source source;
	struct evidence_stamp stamp;
	struct acquire_params p;
};

static int
keys_setup(void **state)
{
	(void)state;
	bundle_keys_make(&keys);
	return 0;
}

static int
keys_teardown(void **state)
{
	(void)state;
	bundle_keys_release(&keys);
	return 0;
}

static void
place_open(struct place *l, struct scene *s)
{
	uint8_t *p = pattern(3 * MIB);

	memset(l, 0, sizeof(*l));
	l->s = s;
	put_dir(s, "src");
	put_dir(s, "out");
	put(s, "src/f", p, 3 * MIB);
	free(p);
	l->source = (struct collect_source){.class = BAG_WEIGHTS,
	    .path = strdup(at(s, "src"))};
	l->stamp = (struct evidence_stamp){bundle_stamp, &keys};
	l->p.collect = s->o;
	l->p.collect.sources = &l->source;
	l->p.collect.nsources = 1;
	l->p.collect.case_id = "CASE";
	l->p.collect.examiner = "Ada Example";
	l->p.collect.cert_sha256 = signer_cert_sha256(keys.signer);
	l->p.collect.examiner_pem = signer_pem(keys.signer);
	l->p.collect.tsa_pem = signer_tsa_pem(keys.signer);
	l->p.collect.local_tsa = true;
	l->p.collect.tool = "exhibit test";
	l->p.signer = keys.signer;
	l->p.stamp = &l->stamp;
	l->p.file = NAME;
	l->p.stream = -1;
	l->p.dir = open(at(s, "out"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(l->p.dir >= 0);
}

static void
place_close(struct place *l)
{
	union {
		const char *was;
		char *is;
	} path = {l->source.path};

	free(path.is);
	if (l->p.dir >= 0)
		(void)close(l->p.dir);
}

static bool
there(const struct scene *s, const char *name)
{
	struct stat st;

	return lstat(at(s, name), &st) == 0;
}

/* It fails with ${code}, and no file has the name. */
static void
fails(struct place *l, int code)
{
	struct acquired a;

	assert_int_equal(acquire(&l->p, &a, &l->s->e), code);
	assert_false(there(l->s, "out/" NAME));
	assert_false(there(l->s, "out/" NAME ".sha256"));
}

/* While it is read, nothing has the name yet. */
static void
look_for_the_name(struct scene *s, uint64_t bytes)
{
	(void)bytes;
	assert_false(there(s, "out/" NAME));
	assert_true(there(s, "out/" NAME ".partial"));
}

static void
a_bundle_gets_its_name_when_it_was_verified(void **state)
{
	struct scene *s = *state;
	struct place l;
	struct acquired a;
	struct stat st;
	char text[128] = "", want[128], hex[65];
	int fd;

	place_open(&l, s);
	s->on_chunk = look_for_the_name;
	if (acquire(&l.p, &a, &s->e) != 0)
		fail_msg("%s", s->e.msg);
	assert_true(s->chunks >= 12);
	assert_int_equal(verify_exit(&a.verified), 0);
	assert_true(a.reread);
	assert_non_null(a.published_by);
	assert_int_equal(a.totals.stored, 1);
	assert_int_equal(lstat(at(s, "out/" NAME), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0444);
	assert_int_equal((uint64_t)st.st_size, a.sealed.size);
	assert_false(there(s, "out/" NAME ".partial"));
	assert_false(there(s, "out/" NAME ".sha256.partial"));
	fd = open(at(s, "out/" NAME ".sha256"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	(void)close(fd);
	digest_hex(hex, a.sealed.whole.sha256, 32);
	(void)snprintf(want, sizeof(want), "%s  " NAME "\n", hex);
	assert_string_equal(text, want);
	place_close(&l);
}

static void
what_is_there_is_never_replaced(void **state)
{
	static const char *const names[] = {NAME, NAME ".partial",
	    NAME ".sha256", NAME ".sha256.partial"};
	struct scene *s = *state;
	struct acquired a;
	struct place l;
	char path[128], text[16];

	place_open(&l, s);
	for (size_t i = 0; i < 4; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "out/%s", names[i]);
		put_text(s, path, "mine");
		s->e = (struct err)ERR_INIT;
		assert_int_equal(acquire(&l.p, &a, &s->e), ERR_EXISTS);
		/* Refused before anything was read. */
		assert_int_equal(s->chunks, 0);
		fd = open(at(s, path), O_RDONLY | O_CLOEXEC);
		assert_int_equal(read(fd, text, sizeof(text)), 4);
		(void)close(fd);
		assert_memory_equal(text, "mine", 4);
		assert_int_equal(unlink(at(s, path)), 0);
		assert_false(there(s, "out/" NAME));
	}
	place_close(&l);
}

static void
a_name_without_room_for_what_comes_beside_it_is_refused(void **state)
{
	struct scene *s = *state;
	struct acquired a;
	struct place l;
	char name[256];

	place_open(&l, s);
	for (size_t n = 241; n < 256; n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		l.p.file = name;
		s->e = (struct err)ERR_INIT;
		assert_int_equal(acquire(&l.p, &a, &s->e), ERR_ARG);
		assert_int_equal(s->chunks, 0);
	}
	name[240] = '\0';
	s->e = (struct err)ERR_INIT;
	assert_int_equal(acquire(&l.p, &a, &s->e), 0);
	place_close(&l);
}

static void
a_stream_is_a_bundle_that_is_not_read_again(void **state)
{
	struct scene *s = *state;
	struct verify_result r;
	struct acquired a;
	struct verify *v;
	struct bundle b;
	struct place l;
	int fd = bundle_fd();

	place_open(&l, s);
	(void)close(l.p.dir);
	l.p.dir = -1;
	l.p.stream = fd;
	assert_int_equal(acquire(&l.p, &a, &s->e), 0);
	assert_false(a.reread);
	assert_null(a.published_by);
	bundle_read(&b, fd);
	(void)close(fd);
	assert_int_equal(verify_prepare(&v, NULL), 0);
	assert_int_equal(bundle_verify(v, b.p, b.n, &keys, &r), 0);
	verify_done(v);
	bundle_release(&b);
	place_close(&l);
}

/* Called when the payload is on the disk: alters a byte of it. */
static int
corrupt_and_stamp(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	struct scene *s = ctx;
	uint8_t c;
	int fd = open(at(s, "out/" NAME ".partial"), O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, MIB), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, MIB), 1);
	(void)close(fd);
	return bundle_stamp(&keys, p7s, n, tsr, e);
}

static void
a_disk_that_altered_a_byte_publishes_nothing(void **state)
{
	struct scene *s = *state;
	struct place l;

	place_open(&l, s);
	l.stamp = (struct evidence_stamp){corrupt_and_stamp, s};
	fails(&l, ERR_VERIFY);
	assert_true(there(s, "out/" NAME ".partial"));
	place_close(&l);
}

static int
no_stamp(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	(void)ctx;
	(void)p7s;
	(void)n;
	(void)tsr;
	return err_set(e, ERR_CRYPTO, "no time today");
}

static void
an_authority_that_fails_publishes_nothing(void **state)
{
	struct scene *s = *state;
	struct place l;

	place_open(&l, s);
	l.stamp = (struct evidence_stamp){no_stamp, NULL};
	fails(&l, ERR_CRYPTO);
	assert_string_equal(s->e.msg, "no time today");
	place_close(&l);
}

static void
a_full_disk_publishes_nothing(void **state)
{
	struct scene *s = *state;
	struct rlimit was, less;
	struct place l;

	place_open(&l, s);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	less = was;
	less.rlim_cur = MIB;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
	fails(&l, ERR_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(s->e.sys, EFBIG);
	place_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(a_bundle_gets_its_name_when_it_was_verified),
	    SCENE_TEST(what_is_there_is_never_replaced),
	    SCENE_TEST(a_name_without_room_for_what_comes_beside_it_is_refused),
	    SCENE_TEST(a_stream_is_a_bundle_that_is_not_read_again),
	    SCENE_TEST(a_disk_that_altered_a_byte_publishes_nothing),
	    SCENE_TEST(an_authority_that_fails_publishes_nothing),
	    SCENE_TEST(a_full_disk_publishes_nothing),
	};

	return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
