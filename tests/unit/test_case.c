#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "base/fsio.h"
#include "base/limits.h"
#include "tests/unit/case_fixture.h"

static void
read_pem(const char *name, struct buf *b)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", keys, name);
	assert_int_equal(fsio_read_file(AT_FDCWD, path, MIB, b, NULL), 0);
}

static void
certificates_are_pinned(void **state)
{
	struct fixture *f = *state;
	struct buf examiner, tsa, want;
	struct err e = ERR_INIT;
	char db[128];
	sqlite3 *raw;

	buf_init(&examiner, MIB);
	buf_init(&tsa, MIB);
	buf_init(&want, MIB);
	make_and_open(f);
	assert_int_equal(case_trust_pem(f->c, &examiner, &tsa, NULL), 0);
	read_pem("examiner.pem", &want);
	assert_non_null(strstr(buf_str(&want), buf_str(&examiner)));
	assert_true(examiner.len > 100);
	buf_clear(&want);
	read_pem("tsa.pem", &want);
	assert_non_null(strstr(buf_str(&want), buf_str(&tsa)));
	assert_true(tsa.len > 100);
	case_close(f->c);
	f->c = NULL;
	/* A certificate that is put in another's place is found. */
	snprintf(db, sizeof(db), "%s/case.db", f->path);
	assert_int_equal(sqlite3_open(db, &raw), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(raw,
		"UPDATE party SET pem=(SELECT "
		"pem FROM party WHERE role='tsa') WHERE role='examiner'",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_changes(raw), 1);
	sqlite3_close(raw);
	reopen(f);
	assert_int_equal(case_trust_pem(f->c, &examiner, &tsa, &e), ERR_VERIFY);
	assert_non_null(strstr(e.msg, "certificate of the examiner"));
	buf_release(&examiner);
	buf_release(&tsa);
	buf_release(&want);
}

static void
numbers_count_from_01_and_pass_99(void **state)
{
	struct fixture *f = *state;
	char want[32];
	unsigned i;

	make_and_open(f);
	for (i = 1; i <= 101; i++) {
		snprintf(want, sizeof(want), "LAB-7-E%02u", i);
		take(f, want);
	}
}

static void
incident_says(struct fixture *f, uint64_t seq, const char *exhibit,
    const char *found, const char *name)
{
	const struct case_pair *p;
	struct case_body b;

	get_body(f, seq, &b);
	assert_string_equal(case_body_str(&b, "kind"), "incident");
	assert_string_equal(case_body_str(&b, "exhibit"), exhibit);
	assert_string_equal(case_body_str(&b, "data.found"), found);
	p = case_body_find(&b, "data.files.0.name");
	if (name == NULL)
		assert_null(p);
	else
		assert_string_equal(p->str, name);
	case_body_release(&b);
}

static void
a_number_is_never_used_again_after_a_crash(void **state)
{
	struct fixture *f = *state;
	struct case_body b;
	char bundles[128];
	struct err e = ERR_INIT;
	uint64_t v;

	make_and_open(f);
	take(f, "LAB-7-E01");
	take(f, "LAB-7-E02");
	take(f, "LAB-7-E03");
	take(f, "LAB-7-E04");
	snprintf(bundles, sizeof(bundles), "%s/bundles", f->path);
	put_file(bundles, "LAB-7-E02.tar.partial", 512);
	put_file(bundles, "LAB-7-E03.tar", 1024);
	put_file(bundles, "LAB-7-E03.tar.partial", 3);
	assert_int_equal(
	    mkfifoat(case_bundles_fd(f->c), "LAB-7-E04.partial", 0600), 0);
	assert_int_equal(events(f), 5);
	reopen(f);
	assert_int_equal(events(f), 9);
	incident_says(f, 6, "LAB-7-E01", "nothing", NULL);
	incident_says(f, 7, "LAB-7-E02", "partial", "LAB-7-E02.tar.partial");
	incident_says(f, 8, "LAB-7-E03", "final", "LAB-7-E03.tar");
	incident_says(f, 9, "LAB-7-E04", "partial", "LAB-7-E04.partial");
	get_body(f, 8, &b);
	assert_true(case_body_u64(&b, "data.acquire_seq", &v));
	assert_int_equal(v, 4);
	assert_true(case_body_u64(&b, "data.files.0.size", &v));
	assert_int_equal(v, 1024);
	assert_string_equal(case_body_str(&b, "data.files.0.checked"),
	    "not verified here");
	assert_true(case_body_u64(&b, "data.files.1.size", &v));
	assert_int_equal(v, 3);
	case_body_release(&b);
	get_body(f, 9, &b);
	assert_string_equal(case_body_str(&b, "data.files.0.checked"),
	    "not a regular file");
	case_body_release(&b);
	/* Said once, and the files are where they were. */
	reopen(f);
	assert_int_equal(events(f), 9);
	assert_int_equal(mode_of(f, "bundles/LAB-7-E02.tar.partial"), 0600);
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E01", put_seal, NULL, NULL, &e),
	    ERR_DENIED);
	take(f, "LAB-7-E05");
}

static void
a_killed_acquisition_is_an_incident(void **state)
{
	struct fixture *f = *state;
	char bag[CASE_BAG_MAX];
	struct casedir *c;
	int status, i;
	pid_t pid;

	make(f);
	for (i = 1; i <= 3; i++) {
		if ((pid = fork()) == 0) {
			if (case_open(f->path, &c, NULL) == 0 &&
			    case_take_exhibit(c, NULL, NULL, bag, NULL) == 0)
				kill(getpid(), SIGKILL);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	reopen(f);
	/* genesis, then acquire and incident three times */
	assert_int_equal(events(f), 7);
	incident_says(f, 7, "LAB-7-E03", "nothing", NULL);
	take(f, "LAB-7-E04");
}

static void
a_reader_changes_nothing_and_needs_no_lock(void **state)
{
	struct fixture *f = *state;
	struct casedir *reader = NULL;
	char bag[CASE_BAG_MAX];

	make_and_open(f);
	take(f, "LAB-7-E01");
	/* While it is open for writing. */
	assert_int_equal(case_open_readonly(f->path, &reader, NULL), 0);
	assert_int_equal(
	    case_event(reader, "verify", NULL, NULL, NULL, NULL, NULL),
	    ERR_DENIED);
	assert_int_equal(case_take_exhibit(reader, NULL, NULL, bag, NULL),
	    ERR_DENIED);
	case_close(reader);
	case_close(f->c);
	f->c = NULL;
	assert_int_equal(case_open_readonly(f->path, &f->c, NULL), 0);
	assert_int_equal(events(f), 2);
}

static void
one_writer_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct casedir *second = NULL;
	struct err e = ERR_INIT;
	int fd, status;
	pid_t pid;

	make_and_open(f);
	take(f, "LAB-7-E01");
	assert_int_equal(case_open(f->path, &second, &e), ERR_DENIED);
	assert_non_null(strstr(e.msg, "in use by another process"));
	/* What is under way was not taken for an incident. */
	assert_int_equal(
	    case_event(f->c, "seal", "LAB-7-E01", put_seal, NULL, NULL, NULL),
	    0);
	case_close(f->c);
	f->c = NULL;
	/* One that ends soon is waited for. */
	fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	if ((pid = fork()) == 0) {
		usleep(200000);
		_exit(0);
	}
	close(fd); /* the child's copy holds it now */
	assert_int_equal(case_open(f->path, &f->c, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void
a_case_without_bundles_is_refused(void **state)
{
	struct fixture *f = *state;
	char bundles[128];
	struct casedir *c = NULL;

	make(f);
	snprintf(bundles, sizeof(bundles), "%s/bundles", f->path);
	assert_int_equal(rmdir(bundles), 0);
	assert_int_equal(case_open(f->path, &c, NULL), ERR_NOTFOUND);
	assert_int_equal(symlink("/tmp", bundles), 0);
	assert_true(case_open(f->path, &c, NULL) < 0);
	assert_null(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE_TEST(certificates_are_pinned),
	    CASE_TEST(numbers_count_from_01_and_pass_99),
	    CASE_TEST(a_number_is_never_used_again_after_a_crash),
	    CASE_TEST(a_killed_acquisition_is_an_incident),
	    CASE_TEST(a_reader_changes_nothing_and_needs_no_lock),
	    CASE_TEST(one_writer_at_a_time),
	    CASE_TEST(a_case_without_bundles_is_refused),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
