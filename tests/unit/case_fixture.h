#ifndef TESTS_UNIT_CASE_FIXTURE_H_
#define TESTS_UNIT_CASE_FIXTURE_H_

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "custody/case.h"
#include "custody/case_body.h"
#include "custody/keygen.h"
#include "custody/sign.h"
#include "tests/lib/tree_fixture.h"

/* A directory for a case, and the keys of an examiner for all tests. */
struct fixture {
	char dir[64];  /* of everything */
	char path[96]; /* of the case */
	struct casedir *c;
};

static char keydir[64] = "/tmp/exhibit-keys-XXXXXX";
static char keys[96];
static struct signer *signer;

static inline void
remove_all(const char *path)
{
	assert_int_equal(tree_fixture_remove(path), 0);
}

static inline int
make_keys(void **state)
{
	const struct keygen_options o = {"p256", "Ada Example", NULL, false};

	(void)state;
	if (mkdtemp(keydir) == NULL)
		return -1;
	snprintf(keys, sizeof(keys), "%s/keys", keydir);
	if (keygen(keys, &o, NULL) < 0)
		return -1;
	return signer_load(keys, NULL, &signer, NULL);
}

static inline int
drop_keys(void **state)
{
	(void)state;
	signer_free(signer);
	remove_all(keydir);
	return 0;
}

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/exhibit-case-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/case", f->dir);
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	case_close(f->c);
	remove_all(f->dir);
	free(f);
	return 0;
}

static inline void
make(const struct fixture *f)
{
	struct err e = ERR_INIT;

	if (case_new(f->path, "LAB-7", "Ada Example", keys, signer, &e) != 0)
		fail_msg("%s", e.msg);
}

static inline void
reopen(struct fixture *f)
{
	struct err e = ERR_INIT;

	case_close(f->c);
	f->c = NULL;
	if (case_open(f->path, &f->c, &e) != 0)
		fail_msg("%s", e.msg);
}

static inline void
make_and_open(struct fixture *f)
{
	make(f);
	reopen(f);
}

static inline unsigned
mode_of(const struct fixture *f, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return lstat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static inline void
put_file(const char *dir, const char *name, size_t n)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

/* The body of event ${seq}, or of the last one for 0. */
struct wanted {
	uint64_t seq;
	struct buf b;
};

static inline int
on_body(void *ctx, uint64_t seq, const char *body, size_t n)
{
	struct wanted *w = ctx;

	if (w->seq != 0 && w->seq != seq)
		return 0;
	buf_clear(&w->b);
	buf_put(&w->b, body, n);
	return 0;
}

static inline void
get_body(struct fixture *f, uint64_t seq, struct case_body *ret)
{
	struct wanted w = {seq, {0}};

	buf_init(&w.b, LEDGER_BODY_MAX);
	assert_int_equal(ledger_each(case_ledger(f->c), on_body, &w, NULL), 0);
	assert_true(w.b.len > 0);
	assert_int_equal(
	    case_body_read(ret, (const char *)w.b.p, w.b.len, NULL), 0);
	buf_release(&w.b);
}

static inline uint64_t
events(struct fixture *f)
{
	struct ledger_head head;

	assert_int_equal(ledger_head(case_ledger(f->c), &head, NULL), 0);
	return head.size;
}

static inline void
put_seal(void *ctx, struct json_write *w)
{
	static const uint8_t hash[32] = {0xab};

	json_khex(w, "bundle_sha256", hash, 32);
	json_kstr(w, "check", ctx != NULL ? "not re-read" : "re-read");
	json_ku64(w, "size", 20992);
}

static inline void
take(struct fixture *f, const char *want)
{
	char bag[CASE_BAG_MAX];

	assert_int_equal(case_take_exhibit(f->c, NULL, NULL, bag, NULL), 0);
	assert_string_equal(bag, want);
}

#define CASE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* !TESTS_UNIT_CASE_FIXTURE_H_ */
