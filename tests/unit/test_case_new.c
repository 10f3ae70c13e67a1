#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/unit/case_fixture.h"

static void
a_new_case_is_private_and_whole(void **state)
{
	struct fixture *f = *state;
	char real[PATH_MAX];

	make(f);
	assert_int_equal(mode_of(f, "."), 0700);
	assert_int_equal(mode_of(f, "bundles"), 0700);
	assert_int_equal(mode_of(f, "case.db"), 0600);
	assert_int_equal(mode_of(f, "case.db.new"), 0);
	reopen(f);
	assert_string_equal(case_id(f->c), "LAB-7");
	assert_string_equal(case_examiner(f->c), "Ada Example");
	assert_non_null(realpath(keys, real));
	assert_string_equal(case_keys(f->c), real);
	assert_string_equal(case_dir(f->c), f->path);
	assert_true(case_bundles_fd(f->c) >= 0);
	assert_int_equal(events(f), 1);
}

static void
an_empty_directory_becomes_a_private_case(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0755), 0);
	make_and_open(f);
	assert_int_equal(mode_of(f, "."), 0700);
}

static void
a_directory_with_something_in_it_is_refused_and_left(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	assert_int_equal(mkdir(f->path, 0755), 0);
	put_file(f->path, "thesis.doc", 1);
	assert_int_equal(case_new(f->path, "X", "A", keys, signer, &e),
	    ERR_EXISTS);
	assert_non_null(strstr(e.msg, "is not empty"));
	assert_int_equal(mode_of(f, "."), 0755);
	assert_int_equal(mode_of(f, "thesis.doc"), 0600);
	assert_int_equal(mode_of(f, "bundles"), 0);
}

static void
a_case_is_not_made_twice(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	make(f);
	assert_int_equal(case_new(f->path, "X", "A", keys, signer, &e),
	    ERR_EXISTS);
	assert_non_null(strstr(e.msg, "is a case already"));
	reopen(f);
	assert_string_equal(case_id(f->c), "LAB-7");
}

static void
identifiers_and_names_have_a_form(void **state)
{
	static const char *const ids[] = {"", ".", "..", "a b", "a/b",
	    "\xc3\xa9",
	    "0123456789012345678901234567890123456789012345678901234567x"};
	static const char *const names[] = {"", "a\nb", "a\\b", "\xff",
	    "\xe2\x80\xaetxt"};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_int_equal(
		    case_new(f->path, ids[i], "A", keys, signer, NULL),
		    ERR_ARG);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(
		    case_new(f->path, "X", names[i], keys, signer, NULL),
		    ERR_ARG);
	assert_int_equal(case_new(f->path, "X", "A", NULL, signer, NULL),
	    ERR_ARG);
	assert_int_not_equal(access(f->path, F_OK), 0);
	/* The longest, and a name beyond ASCII. */
	assert_int_equal(case_new(f->path, ids[6] + 1, "\xc3\x89va N\xc3\xb3",
			     keys, signer, NULL),
	    0);
	reopen(f);
	assert_string_equal(case_examiner(f->c), "\xc3\x89va N\xc3\xb3");
	assert_int_equal(strlen(case_id(f->c)), CASE_ID_MAX);
}

static void
a_case_that_cannot_be_made_leaves_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
	    case_new(f->path, "X", "A", "/nonexistent/keys", signer, NULL),
	    ERR_NOTFOUND);
	assert_int_not_equal(access(f->path, F_OK), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(
	    case_new(f->path, "X", "A", "/nonexistent/keys", signer, NULL),
	    ERR_NOTFOUND);
	make_and_open(f);
}

static void
what_is_no_case_and_what_is_half_a_case_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct casedir *c = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(case_open(f->path, &c, &e), ERR_NOTFOUND);
	assert_int_equal(mkdir(f->path, 0700), 0);
	err_reset(&e);
	assert_int_equal(case_open(f->path, &c, &e), ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "is not a case"));
	put_file(f->path, "case.db.new", 100);
	err_reset(&e);
	assert_int_equal(case_open(f->path, &c, &e), ERR_FORMAT);
	assert_non_null(strstr(e.msg, "half-made"));
	err_reset(&e);
	assert_int_equal(case_new(f->path, "X", "A", keys, signer, &e),
	    ERR_EXISTS);
	assert_non_null(strstr(e.msg, "half-made"));
	assert_null(c);
}

static void
a_killed_case_new_leaves_a_case_or_says_that_it_does_not(void **state)
{
	struct fixture *f = *state;
	unsigned seed = 7, whole = 0;
	struct err e;
	int i, r, status;
	pid_t pid;

	for (i = 0; i < 30; i++) {
		if ((pid = fork()) == 0)
			_exit(
			    case_new(f->path, "X", "A", keys, signer, NULL) == 0
				? 0
				: 1);
		assert_true(pid > 0);
		usleep((useconds_t)(rand_r(&seed) % 20000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_false(WIFEXITED(status) && WEXITSTATUS(status) != 0);
		err_reset(&e);
		r = case_open(f->path, &f->c, &e);
		assert_true(r == 0 || r == ERR_FORMAT || r == ERR_NOTFOUND);
		assert_true(r == 0 || !WIFEXITED(status));
		if (r == ERR_FORMAT)
			assert_non_null(strstr(e.msg, "half-made"));
		if (r == 0) {
			assert_string_equal(case_keys(f->c), keys);
			whole++;
		}
		case_close(f->c);
		f->c = NULL;
		if (access(f->path, F_OK) == 0)
			remove_all(f->path);
	}
	print_message("%u of 30 were whole\n", whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE_TEST(a_new_case_is_private_and_whole),
	    CASE_TEST(an_empty_directory_becomes_a_private_case),
	    CASE_TEST(a_directory_with_something_in_it_is_refused_and_left),
	    CASE_TEST(a_case_is_not_made_twice),
	    CASE_TEST(identifiers_and_names_have_a_form),
	    CASE_TEST(a_case_that_cannot_be_made_leaves_nothing),
	    CASE_TEST(what_is_no_case_and_what_is_half_a_case_are_told_apart),
	    CASE_TEST(a_killed_case_new_leaves_a_case_or_says_that_it_does_not),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
