#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/bundle_fixture.h"

/* The verifying worker, in its fence: that needs the release build. */
static struct bundle_keys keys;
static struct bundle b;
static struct buf examiner, tsa;

static int
setup(void **state)
{
	(void)state;
	bundle_keys_make(&keys);
	bundle_make(&b, &keys, DIGEST_SHA256 | DIGEST_SHA512, true);
	buf_init(&examiner, MIB);
	buf_init(&tsa, MIB);
	buf_puts(&examiner, signer_pem(keys.signer));
	buf_puts(&tsa, signer_tsa_pem(keys.signer));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_release(&examiner);
	buf_release(&tsa);
	bundle_release(&b);
	bundle_keys_release(&keys);
	return 0;
}

static int
file_of(const uint8_t *p, size_t n)
{
	int fd = bundle_fd();

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	return fd;
}

static void
a_worker_says_the_same_as_we_do(void **state)
{
	struct verify_result here, there;
	struct verify *v;
	int fd;

	(void)state;
	assert_int_equal(verify_prepare(&v, NULL), 0);
	for (size_t off = 0; off < b.n; off += 1500) {
		if (off > 0)
			b.p[off] ^= 4;
		fd = file_of(b.p, b.n);
		assert_int_equal(verify_in_worker(fd, &examiner, &tsa, &there,
		    NULL), 0);
		assert_int_equal(bundle_verify(v, b.p, b.n, &keys, &here),
		    off == 0 ? 0 : 3);
		assert_int_equal(verify_exit(&there), off == 0 ? 0 : 3);
		for (unsigned i = 0; i < VERIFY_STATEMENTS; i++)
			assert_int_equal(there.st[i].outcome,
			    here.st[i].outcome);
		assert_memory_equal(there.sha256, here.sha256, 32);
		assert_true(there.size == b.n &&
		    there.members == here.members &&
		    there.gen_time == here.gen_time &&
		    there.local_tsa == here.local_tsa);
		assert_string_equal(there.bag, here.bag);
		assert_string_equal(there.signer, here.signer);
		assert_int_equal(close(fd), 0);
		if (off > 0)
			b.p[off] ^= 4;
	}
	verify_done(v);
}

static void
without_trust_it_is_not_checked(void **state)
{
	struct verify_result r;
	int fd = file_of(b.p, b.n);

	(void)state;
	assert_int_equal(verify_in_worker(fd, NULL, NULL, &r, NULL), 0);
	assert_int_equal(verify_exit(&r), 2);
	assert_int_equal(close(fd), 0);
}

static void
what_is_our_fault_is_an_error(void **state)
{
	struct verify_result r;
	struct err e = ERR_INIT;
	struct buf nonsense;
	int fds[2], fd = file_of(b.p, b.n);

	(void)state;
	buf_init(&nonsense, 100);
	buf_puts(&nonsense, "no certificate");
	assert_int_equal(verify_in_worker(fd, &nonsense, &tsa, &r, &e),
	    ERR_FORMAT);
	assert_true(e.msg[0] != '\0');
	buf_release(&nonsense);
	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(verify_in_worker(fds[0], NULL, NULL, &r, NULL),
	    ERR_UNSUPPORTED);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
}

/* Four GiB to hash and one second of processor time: SIGXCPU. */
static void
a_worker_that_dies_proves_nothing(void **state)
{
	struct rlimit before, tight;
	struct verify_result r;
	int fd = file_of(b.p, b.n);

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)4 << 30), 0);
	assert_int_equal(getrlimit(RLIMIT_CPU, &before), 0);
	tight = before;
	tight.rlim_cur = 1;
	assert_true(signal(SIGXCPU, SIG_DFL) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_CPU, &tight), 0);
	assert_int_equal(verify_in_worker(fd, &examiner, &tsa, &r, NULL), 0);
	assert_int_equal(setrlimit(RLIMIT_CPU, &before), 0);
	assert_int_equal(verify_exit(&r), 3);
	assert_int_equal(r.st[VERIFY_STRUCTURE].outcome, VERIFY_FAILS);
	assert_non_null(strstr(r.st[VERIFY_STRUCTURE].reason, "signal"));
	for (unsigned i = 1; i < VERIFY_STATEMENTS; i++)
		assert_int_equal(r.st[i].outcome, VERIFY_NOT_CHECKED);
	assert_false(r.has_sha256);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_worker_says_the_same_as_we_do),
	    cmocka_unit_test(without_trust_it_is_not_checked),
	    cmocka_unit_test(what_is_our_fault_is_an_error),
	    cmocka_unit_test(a_worker_that_dies_proves_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
