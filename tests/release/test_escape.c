#include "tests/release/scan_fixture.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/bytesrc.h"
#include "formats/format.h"

/*
 * A format that exists in this test alone: its parser has been taken over.
 * Each object names the one thing that it tries; every attempt must end as a
 * finding, and the scan must go on to the next object.
 */
static unsigned
escape_bid(struct cursor head, uint64_t size)
{
	(void)size;
	return cursor_match(&head, (const uint8_t *)"ESCAPE:", 7) ? 56 : 0;
}

static void
attempt(const char *what)
{
	char *const argv[] = {NULL};

	if (strcmp(what, "open") == 0)
		(void)syscall(SYS_open, "/etc/passwd", O_RDONLY);
	else if (strcmp(what, "openat") == 0)
		(void)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	else if (strcmp(what, "creat") == 0)
		(void)syscall(SYS_creat, "/tmp/exhibit-escaped", 0600);
	else if (strcmp(what, "unlink") == 0)
		(void)syscall(SYS_unlink, "/tmp/exhibit-escaped");
	else if (strcmp(what, "socket") == 0)
		(void)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	else if (strcmp(what, "fork") == 0)
		(void)syscall(SYS_fork);
	else if (strcmp(what, "clone") == 0)
		(void)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	else if (strcmp(what, "exec") == 0)
		(void)syscall(SYS_execve, "/bin/true", argv, argv);
	else if (strcmp(what, "mmap") == 0)
		(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else if (strcmp(what, "mprotect") == 0)
		(void)mprotect((void *)((uintptr_t)what & ~4095UL), 4096,
		    PROT_READ | PROT_EXEC);
	else if (strcmp(what, "ptrace") == 0)
		(void)syscall(SYS_ptrace, PTRACE_ATTACH, 1, 0, 0);
	else if (strcmp(what, "kill") == 0)
		(void)syscall(SYS_kill, 1, 0);
	else if (strcmp(what, "stderr") == 0)
		(void)syscall(SYS_write, 2, "escaped\n", 8);
	else if (strcmp(what, "crash") == 0)
		__builtin_trap();
}

static int
escape_parse(struct parse *p)
{
	char what[32] = "";
	size_t n;

	if (bytesrc_read_some(p->src, 7, what, sizeof(what) - 1, &n,
	    p->e) < 0)
		return ERR_IO;
	what[n] = '\0';
	attempt(what);
	return 0;
}

static const struct format escape_format = {.name = "escape",
    .kind = FORMAT_MODEL, .bid = escape_bid, .parse = escape_parse};

static void
make_object(const char *what)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "ESCAPE:%s", what);

	scan_put(what, text, (size_t)n);
}

static bool
said(const char *what, enum finding_id id)
{
	char tail[64];

	(void)snprintf(tail, sizeof(tail), "/%s", what);
	return scan_found(tail, id) >= 0;
}

static const char *const forbidden[] = {"open", "openat", "creat", "unlink",
    "socket", "fork", "clone", "exec", "mmap", "mprotect", "ptrace", "kill",
    "stderr", NULL};

static void
every_escape_ends_as_a_finding_and_the_scan_goes_on(void **state)
{
	const struct scan_options o = {.command = "scan", .hash = true,
	    .fence = true, .extra = &escape_format};

	(void)state;
	for (const char *const *w = forbidden; *w != NULL; w++)
		make_object(*w);
	make_object("crash");
	make_object("zz-honest");
	scan_do(scan_top, &o);
	for (const char *const *w = forbidden; *w != NULL; w++)
		if (!said(*w, FINDING_WORKER_KILLED))
			fail_msg("'%s' was not stopped by the fence", *w);
	assert_true(said("crash", FINDING_WORKER_CRASHED));
	assert_false(said("zz-honest", FINDING_WORKER_KILLED));
	assert_int_equal(scan_nobjects, 15);
	assert_int_equal(access("/tmp/exhibit-escaped", F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		every_escape_ends_as_a_finding_and_the_scan_goes_on),
	};

	return cmocka_run_group_tests(tests, scan_setup, scan_teardown);
}
