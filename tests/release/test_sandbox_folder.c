#include "tests/release/fence_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

/*
 * A fence with one folder that may be read: what is in it, and nothing else.
 */
static char folder[] = "/tmp/exhibit-folder-XXXXXX";
static int folder_fd;

static int
make_folder(void **state)
{
	int fd;

	(void)state;
	sandbox_probe(&here);
	if (mkdtemp(folder) == NULL || (folder_fd = open(folder, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    mkdirat(folder_fd, "sub", 0700) < 0 ||
	    symlinkat("/etc/passwd", folder_fd, "out") < 0 ||
	    (fd = openat(folder_fd, "sub/file", O_WRONLY | O_CREAT, 0600)) <
	    0 || write(fd, "inside", 6) != 6)
		return -1;
	(void)close(fd);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)unlinkat(folder_fd, "sub/file", 0);
	(void)unlinkat(folder_fd, "out", 0);
	(void)unlinkat(folder_fd, "sub", AT_REMOVEDIR);
	(void)close(folder_fd);
	return rmdir(folder);
}

static struct sandbox_policy
policy(void)
{
	return (struct sandbox_policy){.out_fd = {-1, -1}, .descriptors = 64,
	    .folder = true, .folder_fd = folder_fd};
}

/* The number of the first thing that is not as it should be. */
static int
look_around(long arg)
{
	struct stat st;
	char text[16];
	int fd;

	(void)arg;
	if ((fd = openat(folder_fd, "sub/file", O_RDONLY)) < 0)
		return 1;
	if (read(fd, text, sizeof(text)) != 6 || memcmp(text, "inside", 6))
		return 2;
	if (openat(folder_fd, ".", O_RDONLY | O_DIRECTORY) < 0)
		return 3;
	/* A path from the root leads there too, elsewhere none does. */
	if (open(folder, O_RDONLY | O_DIRECTORY) < 0)
		return 4;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return 5;
	if (openat(folder_fd, "out", O_RDONLY) >= 0 || errno != EACCES)
		return 6;
	if (openat(folder_fd, "../..", O_RDONLY | O_DIRECTORY) >= 0)
		return 7;
	/* Nothing can be written, though it is ours. */
	if (openat(folder_fd, "sub/file", O_WRONLY) >= 0 || errno != EACCES)
		return 8;
	if (openat(folder_fd, "sub/file", O_RDWR | O_TRUNC) >= 0)
		return 9;
	if (openat(folder_fd, "new", O_RDONLY | O_CREAT, 0600) >= 0)
		return 10;
	if (fstatat(folder_fd, "sub/file", &st, 0) < 0 || st.st_size != 6)
		return 11;
	return 0;
}

static int
unlink_it(long arg)
{
	(void)arg;
	(void)unlinkat(folder_fd, "sub/file", 0);
	return 0;
}

static void
need_both(void)
{
	need_seccomp();
	if (here.landlock_abi > 0)
		return;
	(void)printf("SKIP: no Landlock here\n");
	skip();
}

static void
the_folder_is_read_and_nothing_else(void **state)
{
	const struct sandbox_policy p = policy();

	(void)state;
	need_both();
	assert_true(ended_with(fenced(&p, look_around, 0), 0));
}

static void
taking_away_ends_the_process(void **state)
{
	const struct sandbox_policy p = policy();

	(void)state;
	need_both();
	assert_true(ended_by(fenced(&p, unlink_it, 0), SIGSYS));
	assert_int_equal(faccessat(folder_fd, "sub/file", R_OK, 0), 0);
}

static void
without_a_folder_no_open_passes(void **state)
{
	const struct sandbox_policy p = {.out_fd = {-1, -1},
	    .descriptors = 64};

	(void)state;
	need_seccomp();
	assert_true(ended_by(fenced(&p, look_around, 0), SIGSYS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_folder_is_read_and_nothing_else),
	    cmocka_unit_test(taking_away_ends_the_process),
	    cmocka_unit_test(without_a_folder_no_open_passes)};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
