#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "analyzer/weights.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/weights_case.h"

/*
 * The deep pass from page cache: weights FOLDER MIB.  For each type a file of
 * MIB megabytes, as tensors of 16; the best of three passes by CPU time, for
 * statistics alone and with the carver.
 */
#define TENSOR (16 * MIB)

static int
on_finding(void *ctx, const struct finding *f)
{
	unsigned *n = ctx;

	*n += f->severity > SEVERITY_INFO;
	return 0;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	(void)ctx;
	(void)m;
	return 0;
}

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

static unsigned
pass(const char *path, const char *dtype, size_t len, unsigned parts)
{
	static const struct weights_events ev = {on_finding, on_member};
	struct err e = ERR_INIT;
	unsigned flags = 0;
	struct weights *w = weights_new(&ev, &flags, parts, &e);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bytesrc *src = bytesrc_fd(fd, 0, len, &e);
	struct weights_tensor t = {.name = "w", .name_len = 1,
	    .dtype = dtype, .src = src, .len = TENSOR};

	if (w == NULL || fd < 0 || src == NULL)
		die("begin");
	for (; t.off < len; t.off += TENSOR)
		if (weights_tensor(w, &t, &e) < 0)
			die("read");
	if (weights_end(w, &e) < 0)
		die("end");
	bytesrc_free(src);
	(void)close(fd);
	weights_free(w);
	return flags;
}

static void
measure(const char *path, const char *dtype, size_t len)
{
	static const struct {
		unsigned parts;
		const char *name;
	} rows[] = {{WEIGHTS_STATISTICS, "statistics"},
	    {WEIGHTS_STATISTICS | WEIGHTS_CARVE, "and carver"}};

	for (unsigned k = 0; k < 2; k++) {
		double cpu = 1e9, wall = 1e9;
		unsigned flags = 0;

		for (unsigned i = 0; i < 3; i++) {
			double c = now(CLOCK_PROCESS_CPUTIME_ID);
			double t = now(CLOCK_MONOTONIC);

			flags = pass(path, dtype, len, rows[k].parts);
			c = now(CLOCK_PROCESS_CPUTIME_ID) - c;
			t = now(CLOCK_MONOTONIC) - t;
			cpu = c < cpu ? c : cpu;
			wall = t < wall ? t : wall;
		}
		(void)printf("deep pass %-4s %-10s  %5.2f GB/s of CPU time  "
		    "%5.2f GB/s  %u flags\n", dtype, rows[k].name,
		    (double)len / 1e9 / cpu, (double)len / 1e9 / wall, flags);
	}
}

static void
make(const char *path, const char *dtype, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint32_t seed = 1;
	uint8_t *p;

	if (fd < 0)
		die("make the file");
	for (size_t at = 0; at < len; at += TENSOR) {
		/* Two different tensors, or making takes longer than all. */
		p = weights_case_make(dtype, TENSOR /
		    weights_case_width(dtype), seed++ % 2);
		for (size_t done = 0; done < TENSOR;) {
			ssize_t n = write(fd, p + done, TENSOR - done);

			if (n <= 0)
				die("write the file");
			done += (size_t)n;
		}
		free(p);
	}
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	static const char *const types[] = {"F32", "BF16", "F16"};
	char path[4096];
	size_t len;

	if (argc != 3)
		die("begin: weights FOLDER MIB");
	len = strtoul(argv[2], NULL, 10) * MIB / TENSOR * TENSOR;
	for (unsigned i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1],
		    types[i]);
		make(path, types[i], len);
		measure(path, types[i], len);
		(void)unlink(path);
	}
	return 0;
}
