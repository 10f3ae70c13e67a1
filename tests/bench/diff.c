#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/diff/mapping.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/tensor.h"
#include "base/limits.h"
#include "tests/lib/weights_case.h"

/*
 * The first pass of a comparison against reading the same two files: diff
 * FOLDER MIB.  For each type two files of MIB megabytes in tensors of 16; in
 * each of ROUNDS rounds all ways take their turn, and the best of each
 * counts, so that what else the machine does hits them alike.  A way maps
 * both files afresh: faults are part of it.  The files are left for whoever
 * wants to do the same by other means.
 *
 * The share of pread's rate is told twice: as it was by the clock, and by CPU
 * time, each thread's rate added up, which is what it is where nothing else
 * runs.  1 if by both the pass on two threads has less than 80 %.
 */
#define TENSOR (16 * MIB)
#define ROUNDS 7
#define REQUIRED 0.8

struct files {
	char path[2][4096];
	const char *dtype;
	size_t len;		/* each */
};

struct way {
	const char *name;
	unsigned threads;	/* 0: read, and nothing else */
	bool portable;
	double wall, cpu;	/* seconds of the best round */
};

static double
now(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench: cannot %s\n", what);
	exit(1);
}

static int
open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("open a file");
	return fd;
}

static void
read_both(const struct files *f)
{
	static uint8_t buf[256 * KIB];
	int fd[2] = {open_file(f->path[0]), open_file(f->path[1])};

	for (size_t at = 0; at < f->len; at += sizeof(buf))
		for (unsigned s = 0; s < 2; s++)
			if (pread(fd[s], buf, sizeof(buf), (off_t)at) !=
			    (ssize_t)sizeof(buf))
				die("read");
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static double
pass_both(const struct files *f, struct pool *pool)
{
	enum elem elem = elem_find(f->dtype);
	struct mapping m[2] = {MAPPING_INIT, MAPPING_INIT};
	struct tensor t[2] = {{.elem = elem, .len = TENSOR, .rank = 2}};
	struct delta d = {&t[0], &t[1], CAST_NONE};
	struct pass_sums s;
	double sum = 0;

	for (unsigned k = 0; k < 2; k++) {
		int fd = open_file(f->path[k]);

		if (mapping_init(&m[k], fd, f->len, NULL) < 0)
			die("map");
		(void)close(fd);
	}
	t[0].n = TENSOR / elem_info(elem)->bytes;
	t[0].cols = 4096;
	t[0].rows = t[0].n / t[0].cols;
	t[1] = t[0];
	for (size_t at = 0; at < f->len; at += TENSOR) {
		t[0].p = m[0].p + at;
		t[1].p = m[1].p + at;
		if (pass_run(pool, &d, &s, NULL, NULL) < 0)
			die("run");
		sum += pass_cosine(&s);
	}
	mapping_release(&m[0]);
	mapping_release(&m[1]);
	return sum;
}

static void
take_turn(const struct files *f, struct way *w, struct pool *pool)
{
	double cpu, wall;

	(void)pass_select(w->portable);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	wall = now(CLOCK_MONOTONIC);
	if (w->threads == 0)
		read_both(f);
	else if (pass_both(f, w->threads == 1 ? NULL : pool) == 0)
		die("find a tensor");
	wall = now(CLOCK_MONOTONIC) - wall;
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	w->wall = w->wall > 0 && w->wall < wall ? w->wall : wall;
	w->cpu = w->cpu > 0 && w->cpu < cpu ? w->cpu : cpu;
}

static bool
measure(const struct files *f, struct pool *pool)
{
	struct way ways[] = {{.name = "pread, one thread"},
	    {.name = "first pass, two threads", .threads = 2},
	    {.name = "first pass, one thread", .threads = 1},
	    {.name = "portable, two threads", .threads = 2,
	    .portable = true},
	    {.name = "portable, one thread", .threads = 1,
	    .portable = true}};
	const size_t n = sizeof(ways) / sizeof(ways[0]);
	double bytes = 2e-9 * (double)f->len, by_clock, by_cpu;
	bool ok = true;

	for (unsigned r = 0; r < ROUNDS; r++)
		for (size_t i = 0; i < n; i++)
			take_turn(f, &ways[i], pool);
	for (size_t i = 0; i < n; i++) {
		by_clock = ways[0].wall / ways[i].wall;
		by_cpu = ways[0].cpu / ways[i].cpu *
		    (ways[i].threads == 2 ? 2 : 1);
		(void)printf("%-4s %-24s %6.2f GB/s %4.0f %%  by CPU time "
		    "%6.2f GB/s a thread %4.0f %%\n", f->dtype, ways[i].name,
		    bytes / ways[i].wall, 100 * by_clock,
		    bytes / ways[i].cpu, 100 * by_cpu);
		if (i != 1 || by_clock >= REQUIRED || by_cpu >= REQUIRED)
			continue;
		(void)printf("%-4s MISSED: below 80 %% of pread\n",
		    f->dtype);
		ok = false;
	}
	return ok;
}

static void
write_all(int fd, const uint8_t *p, size_t n)
{
	for (ssize_t k; n > 0; n -= (size_t)k, p += k)
		if ((k = write(fd, p, n)) <= 0)
			die("write a file");
}

/* The new side: the low bits of every third element moved. */
static void
make(const struct files *f)
{
	size_t width = weights_case_width(f->dtype), n = TENSOR / width;
	uint8_t *p[2] = {weights_case_make(f->dtype, n, 1),
	    weights_case_make(f->dtype, n, 1)};
	int fd;

	for (size_t i = 0; i < n; i += 3)
		p[1][i * width] ^= (uint8_t)(1 + i % 7);
	for (unsigned s = 0; s < 2; s++) {
		fd = open(f->path[s], O_WRONLY | O_CREAT | O_TRUNC |
		    O_CLOEXEC, 0600);
		if (fd < 0)
			die("make a file");
		for (size_t at = 0; at < f->len; at += TENSOR)
			write_all(fd, p[s], TENSOR);
		(void)close(fd);
		free(p[s]);
	}
}

/* A model of many: what a tensor costs that has next to no elements. */
static void
tiny(void)
{
	float v[2][10] = {{1, 2}, {1, 3}};
	struct tensor t[2] = {{.elem = ELEM_F32, .n = 10, .rows = 1,
	    .cols = 10, .len = 40, .p = (const uint8_t *)v[0]}};
	struct delta d = {&t[0], &t[1], CAST_NONE};
	struct pass_sums s;
	double wall = now(CLOCK_MONOTONIC);

	t[1] = t[0];
	t[1].p = (const uint8_t *)v[1];
	for (unsigned i = 0; i < 1000000; i++)
		if (pass_run(NULL, &d, &s, NULL, NULL) < 0 || s.changed != 1)
			die("run");
	(void)printf("10^6 tensors of 10 elements     %.2f s\n",
	    now(CLOCK_MONOTONIC) - wall);
}

int
main(int argc, char **argv)
{
	static const char *const types[] = {"F32", "BF16", "F16"};
	struct pool *pool = pool_new(2, NULL);
	struct files f;
	bool ok = true;

	if (argc != 3 || pool == NULL)
		die("begin: diff FOLDER MIB");
	f.len = strtoul(argv[2], NULL, 10) * MIB / TENSOR * TENSOR;
	(void)printf("kernels: %s\n", pass_select(false));
	for (unsigned i = 0; i < 3; i++) {
		f.dtype = types[i];
		(void)snprintf(f.path[0], sizeof(f.path[0]), "%s/%s.old",
		    argv[1], types[i]);
		(void)snprintf(f.path[1], sizeof(f.path[1]), "%s/%s.new",
		    argv[1], types[i]);
		make(&f);
		ok &= measure(&f, pool);
	}
	(void)pass_select(false);
	tiny();
	pool_free(pool);
	return ok ? 0 : 1;
}
