#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "analyzer/scan.h"
#include "analyzer/sink.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/sandbox.h"
#include "formats/format.h"

/*
 * A format that exists in this test alone: its parser has been taken over.
 * Each object names the one thing that it tries; every attempt must end as a
 * finding, and the scan must go on to the next object.
 */
static char dir[] = "/tmp/exhibit-escape-XXXXXX";

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

/* A sink that remembers what was said about each object. */
#define SEEN_MAX 64
static struct {
	char path[128];
	enum finding_id id;
} seen[SEEN_MAX];
static unsigned nseen, nobjects;
static bool summed;

static int
on_header(struct sink *s, const struct result_header *h, struct err *e)
{
	(void)s;
	(void)e;
	assert_true(h->sandbox.seccomp);
	return 0;
}

static int
on_object(struct sink *s, const struct result_object *o, struct err *e)
{
	(void)s;
	(void)o;
	(void)e;
	nobjects++;
	return 0;
}

static int
on_finding(struct sink *s, const struct result_finding *f, struct err *e)
{
	(void)s;
	(void)e;
	assert_true(nseen < SEEN_MAX);
	(void)snprintf(seen[nseen].path, sizeof(seen[0].path), "%s", f->path);
	seen[nseen++].id = f->finding->id;
	return 0;
}

static int
on_call(struct sink *s, const struct result_call *c, struct err *e)
{
	(void)s;
	(void)c;
	(void)e;
	return 0;
}

static int
on_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	(void)s;
	(void)r;
	(void)e;
	summed = true;
	return 0;
}

static const struct sink_ops remember = {
    "remember", on_header, on_object, on_finding, on_call, on_summary};

static void
make_object(const char *what)
{
	char path[128], text[64];
	int fd, n;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, what);
	n = snprintf(text, sizeof(text), "ESCAPE:%s", what);
	assert_true((fd = open(path, O_WRONLY | O_CREAT, 0600)) >= 0);
	assert_int_equal(write(fd, text, (size_t)n), n);
	(void)close(fd);
}

static bool
said(const char *what, enum finding_id id)
{
	size_t n = strlen(what);

	for (unsigned i = 0; i < nseen; i++) {
		size_t m = strlen(seen[i].path);

		if (seen[i].id == id && m > n &&
		    seen[i].path[m - n - 1] == '/' &&
		    strcmp(seen[i].path + m - n, what) == 0)
			return true;
	}
	return false;
}

static const char *const forbidden[] = {"open", "openat", "creat", "unlink",
    "socket", "fork", "clone", "exec", "mmap", "mprotect", "ptrace", "kill",
    "stderr", NULL};

static void
every_escape_ends_as_a_finding_and_the_scan_goes_on(void **state)
{
	const struct scan_options o = {.command = "scan", .hash = true,
	    .fence = true, .extra = &escape_format};
	const char *paths[] = {dir};
	struct sink sink = {.ops = &remember, .fd = -1};
	struct result_summary sum;
	struct err e = ERR_INIT;
	bool failed;

	(void)state;
	for (const char *const *w = forbidden; *w != NULL; w++)
		make_object(*w);
	make_object("crash");
	make_object("zz-honest");
	assert_int_equal(scan_run(paths, 1, &o, &sink, &sum, &failed, &e), 0);
	for (const char *const *w = forbidden; *w != NULL; w++)
		if (!said(*w, FINDING_WORKER_KILLED))
			fail_msg("'%s' was not stopped by the fence", *w);
	assert_true(said("crash", FINDING_WORKER_CRASHED));
	assert_false(said("zz-honest", FINDING_WORKER_KILLED));
	assert_int_equal(nobjects, 15);
	assert_true(summed);
	assert_int_equal(access("/tmp/exhibit-escaped", F_OK), -1);
}

static int
setup(void **state)
{
	struct sandbox_status st;

	(void)state;
	sandbox_probe(&st);
	if (!st.seccomp) {
		(void)printf("SKIP: no seccomp here\n");
		exit(77);
	}
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	char path[128];

	(void)state;
	for (const char *const *w = forbidden; *w != NULL; w++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, *w);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/crash", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/zz-honest", dir);
	(void)unlink(path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		every_escape_ends_as_a_finding_and_the_scan_goes_on),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
