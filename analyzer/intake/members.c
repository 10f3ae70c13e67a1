#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/intake/members.h"
#include "analyzer/jrow.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/sandbox.h"

/* Lines live in an arena that is renewed as it fills. */
#define LINES_ARENA (8 * LIMIT_INTAKE_LINE)
#define LINES_FULL (4 * LIMIT_INTAKE_LINE)

int
members_receive(struct members *m, const void *arg, struct err *e)
{
	const int *sock = arg;
	int fds[DERIVE_FDS], r;
	unsigned got;

	memset(m, 0, sizeof(*m));
	if ((r = fdpass_recv(*sock, &m->go, sizeof(m->go), fds, DERIVE_FDS,
	    &got, e)) < 0)
		return r;
	if (got != DERIVE_FDS)
		return err_set(e, ERR_CHILD, "descriptors are missing");
	m->bundle_fd = fds[0];
	m->files_fd = fds[1];
	(void)close(*sock);
	return 0;
}

int
members_fence(int out_fd, struct err *e)
{
	struct sandbox_policy policy = {.out_fd = {out_fd, -1},
	    .max_as = LIMIT_INTAKE_AS};
	struct sandbox_status st = {0};
	int r;

	if ((r = sandbox_enter(&policy, &st, e)) < 0)
		return r;
	return st.seccomp ? 0 : err_set(e, ERR_DENIED, "there is no sandbox");
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes out of hex, NUL behind; NULL and *n 0 when there are none. */
static const char *
unhex(const struct jpair *p, struct arena *a, size_t *n)
{
	char *out;

	*n = 0;
	if (p == NULL || p->len % 2 != 0 ||
	    (out = arena_alloc(a, p->len / 2 + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i + 1 < p->len; i += 2) {
		int hi = hex_value(p->val[i]), lo = hex_value(p->val[i + 1]);

		if (hi < 0 || lo < 0)
			return NULL;
		out[i / 2] = (char)(hi << 4 | lo);
	}
	*n = p->len / 2;
	out[*n] = '\0';
	return out;
}

/* "seconds.nanoseconds" as record.c writes it; 0 when it is anything else. */
static int64_t
time_of(const char *s)
{
	char *end;
	long long sec = strtoll(s, &end, 10);
	unsigned long ns = *end == '.' ? strtoul(end + 1, &end, 10) : 0;

	if (*end != '\0' || ns > 999999999 || sec >= INT64_MAX / 1000000000 ||
	    sec <= INT64_MIN / 1000000000)
		return 0;
	return sec * 1000000000 + (int64_t)ns;
}

/* A number of nanoseconds, written as text because it passes 2^53. */
static int64_t
ns_of(const struct jrow *row, const char *key, int64_t none)
{
	const char *s = jrow_get(row, key);
	char *end;
	long long v;

	errno = 0;
	v = strtoll(s, &end, 10);
	return *s == '\0' || *end != '\0' || errno != 0 ? none : v;
}

static bool
class_of(const char *name, enum bag_class *ret)
{
	for (unsigned i = 0; i < BAG_CLASSES; i++)
		if (strcmp(name, bag_class_name((enum bag_class)i)) == 0) {
			*ret = (enum bag_class)i;
			return true;
		}
	return false;
}

static char
type_of(const char *name)
{
	return strcmp(name, "file") == 0 ? 'f' :
	    strcmp(name, "directory") == 0 ? 'd' :
	    strcmp(name, "symlink") == 0 ? 'l' : '\0';
}

static struct member *
next_place(struct members *m, struct arena *a)
{
	size_t cap = m->cap == 0 ? 1024 : 2 * m->cap;
	struct member *v;

	if (m->n == m->cap) {
		if ((v = arena_array(a, cap, sizeof(*v))) == NULL)
			return NULL;
		if (m->n > 0)
			memcpy(v, m->v, m->n * sizeof(*v));
		m->v = v;
		m->cap = cap;
	}
	return &m->v[m->n];
}

static void
fill(struct member *f, const struct jrow *row, struct arena *a)
{
	const char *sha;
	size_t n;

	if (f->type == 'l')
		f->link = unhex(jrow_find(row, "link_target_hex"), a,
		    &f->link_len);
	f->mtime_ns = time_of(jrow_get(row, "stat.mtime"));
	f->since_ns = ns_of(row, "since_ns", INT64_MIN);
	f->until_ns = ns_of(row, "until_ns", INT64_MAX);
	f->size = jrow_u64(row, "stat.size");
	f->stored = f->type == 'f' && jrow_find(row, "data_offset") != NULL;
	if (!f->stored)
		return;
	f->off = jrow_u64(row, "data_offset");
	sha = unhex(jrow_find(row, "sha256"), a, &n);
	if (sha != NULL && n == sizeof(f->sha256)) {
		memcpy(f->sha256, sha, n);
		f->has_sha256 = true;
	}
}

/* One line; what is of no use here is passed over. */
static int
add_line(struct members *m, const struct jrow *row, unsigned classes,
    struct arena *a, struct err *e)
{
	struct member f = {0};
	struct member *place;

	f.type = type_of(jrow_get(row, "type"));
	if (f.type == '\0' || !class_of(jrow_get(row, "class"), &f.class) ||
	    (classes & 1U << f.class) == 0)
		return 0;
	if (m->n == LIMIT_INTAKE_MEMBERS) {
		m->cut = true;
		return 0;
	}
	if ((f.path = unhex(jrow_find(row, "path_hex"), a, &f.path_len)) ==
	    NULL || (place = next_place(m, a)) == NULL)
		return err_set(e, ERR_NOMEM, "no room for the list of members");
	fill(&f, row, a);
	*place = f;
	m->n++;
	return 0;
}

static int
by_path(const void *x, const void *y)
{
	const struct member *a = x, *b = y;
	int r = strcmp(a->path, b->path);

	if (r != 0)
		return r;
	/* Of one path taken twice, the one whose bytes are at hand first. */
	if (a->stored != b->stored)
		return a->stored ? -1 : 1;
	return (a->off > b->off) - (a->off < b->off);
}

static void
sort_members(struct members *m)
{
	size_t kept = 0;

	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_path);
	for (size_t i = 0; i < m->n; i++)
		if (kept == 0 || strcmp(m->v[kept - 1].path, m->v[i].path) !=
		    0)
			m->v[kept++] = m->v[i];
	m->n = kept;
}

static int
read_lines(struct members *m, struct reader *r, unsigned classes,
    struct arena *a, struct err *e)
{
	struct arena *line = NULL;
	struct jrow *row;
	int rc = 1;

	while (rc > 0) {
		if (line == NULL && (line = arena_new(LINES_ARENA)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		if ((rc = jrow_read(r, line, &row, e)) > 0 &&
		    add_line(m, row, classes, a, e) < 0)
			rc = ERR_NOMEM;
		if (rc > 0 && arena_used(line) > LINES_FULL) {
			arena_free(line);
			line = NULL;
		}
	}
	arena_free(line);
	return rc;
}

int
members_load(struct members *m, unsigned classes, struct arena *a,
    struct err *e)
{
	struct bytesrc *files;
	struct reader r;
	int rc;

	if ((m->bundle = bytesrc_fd(m->bundle_fd, 0, m->go.bundle_size, e)) ==
	    NULL || (files = bytesrc_fd(m->files_fd, 0, m->go.files_size,
	    e)) == NULL)
		return ERR_NOMEM;
	if ((rc = reader_init(&r, files, 0, 0, a, e)) >= 0 &&
	    (rc = read_lines(m, &r, classes, a, e)) >= 0)
		sort_members(m);
	bytesrc_free(files);
	return rc;
}

void
members_release(struct members *m)
{
	bytesrc_free(m->bundle);
	m->bundle = NULL;
}

int
members_open(const struct members *m, const struct member *f,
    struct bytesrc **ret, struct err *e)
{
	if (!f->stored)
		return err_set(e, ERR_NOTFOUND, "the bytes are not stored");
	*ret = bytesrc_range(m->bundle, f->off, f->size, e);
	return *ret != NULL ? 0 : ERR_TRUNC;
}
