#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tests/lib/model_case.h"

int
model_case_spool(void)
{
	int fd = memfd_create("spool", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

void
model_case_bytes(struct model_case *m, const char *path, const void *p,
    size_t n)
{
	struct job_part *part = &m->part[m->side.n];

	assert_true(m->side.n < MODEL_FILES);
	part->fd = memfd_create(path, MFD_CLOEXEC);
	assert_true(part->fd >= 0);
	assert_int_equal(write(part->fd, p, n), (ssize_t)n);
	part->size = n;
	part->path = path;
	m->side.v = m->part;
	m->side.n++;
}

static void
header(struct buf *b, const struct model_tensor *v, size_t n)
{
	size_t at = 0;

	buf_puts(b, "{");
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[",
		    i > 0 ? "," : "", v[i].name, v[i].dtype);
		for (unsigned k = 0; k < v[i].rank; k++)
			buf_printf(b, "%s%llu", k > 0 ? "," : "",
			    (unsigned long long)v[i].shape[k]);
		buf_printf(b, "],\"data_offsets\":[%zu,%zu]}", at,
		    at + v[i].len);
		at += v[i].len;
	}
	buf_puts(b, "}");
}

static void
make(const struct model_tensor *v, size_t n, struct buf *all)
{
	static const uint8_t zeros[4096];
	struct buf head;
	uint64_t len;

	buf_init(&head, 64 * MIB);
	buf_init(all, 256 * MIB);
	header(&head, v, n);
	len = head.len;
	buf_put(all, &len, 8);
	buf_put(all, head.p, head.len);
	for (size_t i = 0; i < n; i++) {
		assert_true(v[i].data != NULL || v[i].len <= sizeof(zeros));
		buf_put(all, v[i].data != NULL ? v[i].data : zeros,
		    v[i].len);
	}
	assert_int_equal(buf_failed(all), 0);
	buf_release(&head);
}

void
model_case_add(struct model_case *m, const char *path,
    const struct model_tensor *v, size_t n)
{
	struct buf all;

	make(v, n, &all);
	model_case_bytes(m, path, all.p, all.len);
	buf_release(&all);
}

void
model_case_save(const char *path, const struct model_tensor *v, size_t n)
{
	FILE *f = fopen(path, "w");
	struct buf all;

	assert_non_null(f);
	make(v, n, &all);
	assert_int_equal(fwrite(all.p, 1, all.len, f), all.len);
	assert_int_equal(fclose(f), 0);
	buf_release(&all);
}

#define Q4_0_BLOCKS 512
#define Q4_0_BYTES 18

void
model_case_save_q4_0(const char *path, uint8_t nibbles)
{
	static const uint8_t head[] = "GGUF" "\3\0\0\0"
	    "\1\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0"	/* tensors, keys */
	    "\1\0\0\0\0\0\0\0" "w" "\1\0\0\0"
	    "\0\100\0\0\0\0\0\0" "\2\0\0\0"	/* 16384, Q4_0 */
	    "\0\0\0\0\0\0\0\0";
	uint8_t image[64 + Q4_0_BYTES * Q4_0_BLOCKS] = {0};
	FILE *f = fopen(path, "wb");

	memcpy(image, head, sizeof(head) - 1);
	for (unsigned i = 0; i < Q4_0_BLOCKS; i++) {
		uint8_t *block = image + 64 + Q4_0_BYTES * i;

		block[1] = i == 7 ? 0 : 0x3c;	/* 0 or 1 */
		memset(block + 2, i == 7 ? nibbles : 0x11 * (i % 16), 16);
	}
	assert_non_null(f);
	assert_int_equal(fwrite(image, sizeof(image), 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

void
model_case_free(struct model_case *m)
{
	for (size_t i = 0; i < m->side.n; i++)
		(void)close(m->part[i].fd);
	memset(m, 0, sizeof(*m));
}

static int
on_input(void *ctx, const struct row_input *r)
{
	struct model_told *t = ctx;

	(void)r;
	t->inputs++;
	return 0;
}

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	struct model_told *t = ctx;

	(void)r;
	t->tensors++;
	return 0;
}

static int
on_conclusion(void *ctx, const struct row_conclusion *r)
{
	struct model_told *t = ctx;

	t->conclusions++;
	t->conclusion[r->kind]++;
	return 0;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct model_told *t = ctx;

	t->candidates += !r->lead;
	t->leads += r->lead;
	return 0;
}

static int
on_change(void *ctx, const struct row_change *r)
{
	struct model_told *t = ctx;

	(void)r;
	t->changes++;
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	struct model_told *t = ctx;

	(void)r;
	t->detectors++;
	return 0;
}

static int
on_version(void *ctx, const struct row_version *r)
{
	struct model_told *t = ctx;

	(void)r;
	t->versions++;
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	(void)r;
	fail_msg("a comparison has no callers");
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	struct model_told *t = ctx;

	(void)side;
	(void)path;
	t->findings++;
	t->last = f->id;
	t->sure = f->confidence;
	return 0;
}

void
model_rows(struct rows *rows, struct model_told *told)
{
	memset(told, 0, sizeof(*told));
	*rows = (struct rows){on_input, on_tensor, on_conclusion,
	    on_candidate, on_change, on_detector, on_version, on_caller,
	    on_finding, told};
}
