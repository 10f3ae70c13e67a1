#include <string.h>
#include <unistd.h>

#include "analyzer/intake/lazyfiles.h"
#include "analyzer/intake/slicejob.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/sandbox.h"
#include "formats/rows/rows.h"

/* Standard ones, pipe, socket, job, bundle: numbers below are in use. */
#define OTHER_FILES 16

int
slicejob_receive(struct slicejob *j, const void *arg, struct err *e)
{
	int fds[2] = {-1, -1}, r;
	unsigned got, want;

	memset(j, 0, sizeof(*j));
	j->e = e;
	j->sock = *(const int *)arg;
	if ((r = fdpass_recv(j->sock, &j->go, sizeof(j->go), fds, 2, &got,
	    e)) < 0)
		return r;
	want = j->go.check != 0 ? 2 : 1;
	if (got != want)
		return err_set(e, ERR_CHILD, "descriptors are missing");
	j->job_fd = fds[0];
	j->bundle_fd = fds[1];
	return 0;
}

int
slicejob_fence(struct slicejob *j, int out_fd)
{
	struct sandbox_policy policy = {.out_fd = {out_fd, -1},
	    .max_as = LIMIT_INTAKE_AS,
	    .descriptors = LAZYFILES_OPEN + OTHER_FILES};
	struct sandbox_status st = {0};
	int r;

	if ((r = sandbox_enter(&policy, &st, j->e)) < 0)
		return r;
	if (!st.seccomp)
		return err_set(j->e, ERR_DENIED, "there is no sandbox");
	outbox_init(&j->out, out_fd);
	return 0;
}

/* A file is asked for by number, and comes over the socket. */
static int
ask(void *ctx, uint32_t file, int *fd, struct err *e)
{
	struct slicejob *j = ctx;
	struct field v[SLICE_A_COLUMNS] = {{0}};
	struct slicewire_answer a;
	unsigned got;
	int r;

	fields_u64(&v[SLICE_A_FILE], file);
	if ((r = outbox_send(&j->out, SLICE_ASK, slicewire_ask,
	    SLICE_A_COLUMNS, v, e)) < 0 ||
	    (r = outbox_flush(&j->out, e)) < 0 ||
	    (r = fdpass_recv(j->sock, &a, sizeof(a), fd, 1, &got, e)) < 0)
		return r;
	return got == 1 ? 0 : err_set(e, ERR_IO, "a file of the data set "
	    "cannot be opened");
}

/* --- the job -------------------------------------------------------------- */

static int
read_ids(struct slicejob *j, struct reader *r)
{
	const uint8_t *p;
	uint32_t n;
	uint64_t len;
	int rc;

	if ((rc = reader_u32le(r, &n, j->e)) < 0)
		return rc;
	if ((j->ids = arena_array(j->arena, (size_t)n + 1,
	    sizeof(j->ids[0]))) == NULL)
		return err_set(j->e, ERR_NOMEM, "out of memory");
	for (; j->nids < n; j->nids++) {
		if ((rc = reader_u64le(r, &len, j->e)) < 0 ||
		    (rc = reader_bytes(r, len, j->arena, &p, j->e)) < 0)
			return rc;
		j->ids[j->nids] = (struct slicejob_ids){(const char *)p,
		    (size_t)len};
	}
	return 0;
}

static int
read_file(struct slicejob *j, struct reader *r)
{
	struct rows_file *f = &j->file[j->files];
	const uint8_t *name;
	uint64_t size;
	uint32_t n;
	int rc;

	if ((rc = reader_u64le(r, &size, j->e)) < 0 ||
	    (rc = reader_u32le(r, &n, j->e)) < 0 ||
	    (rc = reader_bytes(r, n, j->arena, &name, j->e)) < 0)
		return rc;
	f->src = lazyfiles_src(j->lazy, (uint32_t)j->files, size, j->e);
	if (f->src == NULL)
		return ERR_NOMEM;
	f->name = (const char *)name;
	f->name_len = n;
	j->files++;
	return 0;
}

static int
read_files(struct slicejob *j, struct reader *r)
{
	uint32_t n;
	int rc;

	if ((rc = reader_u32le(r, &n, j->e)) < 0)
		return rc;
	if (n > LIMIT_SLICE_FILES ||
	    (j->file = arena_array(j->arena, (size_t)n + 1,
	    sizeof(j->file[0]))) == NULL ||
	    (j->lazy = lazyfiles_new(j->arena, ask, j)) == NULL)
		return err_set(j->e, ERR_NOMEM, "out of memory");
	while (j->files < n)
		if ((rc = read_file(j, r)) < 0)
			return rc;
	return 0;
}

int
slicejob_load(struct slicejob *j)
{
	struct bytesrc *src;
	const uint8_t *spec;
	struct reader r;
	uint32_t n;
	int rc;

	if ((j->arena = arena_new(LIMIT_INTAKE_ARENA)) == NULL ||
	    (src = bytesrc_fd(j->job_fd, 0, j->go.job_size, j->e)) == NULL)
		return err_set(j->e, ERR_NOMEM, "out of memory");
	if ((rc = reader_init(&r, src, 0, 0, j->arena, j->e)) >= 0 &&
	    (rc = reader_u32le(&r, &n, j->e)) >= 0 &&
	    (rc = reader_bytes(&r, n, j->arena, &spec, j->e)) >= 0) {
		j->spec = (const char *)spec;
		j->spec_len = n;
		if ((rc = read_ids(j, &r)) >= 0)
			rc = read_files(j, &r);
	}
	bytesrc_free(src);
	return rc;
}

void
slicejob_release(struct slicejob *j)
{
	for (size_t i = 0; i < j->files; i++)
		bytesrc_free((struct bytesrc *)(uintptr_t)j->file[i].src);
	lazyfiles_close(j->lazy);
	outbox_release(&j->out);
	arena_free(j->arena);
}
