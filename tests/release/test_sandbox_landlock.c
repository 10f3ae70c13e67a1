#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "base/sandbox_parts.h"

static const char path[] = "/etc/passwd";
static char *const no_args[] = {NULL};

/* Landlock without the filter: the number of the first hole. */
static int
behind_landlock_alone(pid_t parent, int open_fd)
{
	const struct sandbox_policy closed = {.out_fd = {-1, -1}};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 0x0100,
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int abi, fd;
	char c;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    (abi = sandbox_landlock(&closed, NULL)) <= 0)
		return 100;
	if (open(path, O_RDONLY) >= 0 || errno != EACCES)
		return 1;
	if (open("/tmp", O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES)
		return 2;
	if (open("/tmp/exhibit-escaped", O_WRONLY | O_CREAT, 0600) >= 0 ||
	    errno != EACCES)
		return 3;
	if (mkdir("/tmp/exhibit-escaped", 0700) == 0)
		return 4;
	if (execve("/bin/true", no_args, no_args) == 0 || errno != EACCES)
		return 5;
	if (pread(open_fd, &c, 1, 0) != 1)
		return 6;
	if (abi >= 4 && ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	    errno != EACCES))
		return 7;
	if (abi >= 6 && (kill(parent, 0) == 0 || errno != EPERM))
		return 8;
	return 0;
}

static void
landlock_alone_closes_the_file_system(void **state)
{
	pid_t pid, parent = getpid();
	int fd, status;

	(void)state;
	if (sandbox_landlock_probe() == 0) {
		(void)printf("SKIP: no Landlock here\n");
		skip();
	}
	assert_true((fd = open(path, O_RDONLY)) >= 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(behind_landlock_alone(parent, fd));
	(void)close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(landlock_alone_closes_the_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
