#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/intake/members.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/json_read.h"
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

/* Bytes out of hex, NUL behind; NULL and *n 0 when it is none. */
static const char *
unhex(const struct json_token *t, struct arena *a, size_t *n)
{
	char *out;

	*n = 0;
	if (t->type != JSON_STRING || t->len % 2 != 0 ||
	    (out = arena_alloc(a, t->len / 2 + 1)) == NULL)
		return NULL;
	for (size_t i = 0; i + 1 < t->len; i += 2) {
		int hi = hex_value(t->str[i]), lo = hex_value(t->str[i + 1]);

		if (hi < 0 || lo < 0)
			return NULL;
		out[i / 2] = (char)(hi << 4 | lo);
	}
	*n = t->len / 2;
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
ns_of(const char *s, int64_t none)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(s, &end, 10);
	return *s == '\0' || *end != '\0' || errno != 0 ? none : v;
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

/* What of a line is wanted; the rest of it is not even read. */
struct line {
	struct reader *r;
	struct arena *a;	/* strings that are not kept */
	struct json j;
	struct member f;
	bool known;		/* class and type are ours */
};

enum line_key {
	KEY_TYPE, KEY_CLASS, KEY_PATH, KEY_LINK, KEY_SINCE, KEY_UNTIL,
	KEY_OFFSET, KEY_SHA256, KEY_SIZE, KEY_MTIME, KEYS
};
static const char *const line_keys[KEYS] = {[KEY_TYPE] = "type",
    [KEY_CLASS] = "class", [KEY_PATH] = "path_hex",
    [KEY_LINK] = "link_target_hex", [KEY_SINCE] = "since_ns",
    [KEY_UNTIL] = "until_ns", [KEY_OFFSET] = "data_offset",
    [KEY_SHA256] = "sha256", [KEY_SIZE] = "size", [KEY_MTIME] = "mtime"};

static void
take_sha256(struct line *l, const struct json_token *v)
{
	const char *sha;
	size_t n;

	sha = unhex(v, l->a, &n);
	l->f.has_sha256 = sha != NULL && n == sizeof(l->f.sha256);
	if (l->f.has_sha256)
		memcpy(l->f.sha256, sha, n);
}

/* A value of the line or its stat; true: nothing behind it is wanted. */
static bool
take_value(struct line *l, const char *key, const struct json_token *v,
    struct arena *keep)
{
	struct member *f = &l->f;
	unsigned k = 0;

	while (k < KEYS && strcmp(line_keys[k], key) != 0)
		k++;
	switch (k) {
	case KEY_TYPE:
		f->type = type_of(v->str);
		return f->type == '\0';
	case KEY_CLASS:
		l->known = f->type != '\0' &&
		    bag_class_parse(v->str, strlen(v->str), &f->class);
		return !l->known;
	case KEY_PATH:
		f->path = unhex(v, keep, &f->path_len);
		return false;
	case KEY_LINK:
		f->link = unhex(v, keep, &f->link_len);
		return false;
	case KEY_SINCE:
		f->since_ns = ns_of(v->str, INT64_MIN);
		return false;
	case KEY_UNTIL:
		f->until_ns = ns_of(v->str, INT64_MAX);
		return false;
	case KEY_OFFSET:
		f->off = v->u64;
		f->stored = f->type == 'f' && v->is_u64;
		return false;
	case KEY_SHA256:
		take_sha256(l, v);
		return false;
	case KEY_SIZE:
		f->size = v->u64;
		return false;
	case KEY_MTIME:
		f->mtime_ns = time_of(v->str);
		return true;
	default:
		return false;
	}
}

/*
 * Keys of the line and, since it comes last of what is wanted, of its "stat";
 * a value of any other kind is passed over.
 */
static int
read_line(struct line *l, unsigned classes, struct arena *keep,
    struct err *e)
{
	struct json_token t, v;
	bool last = false;
	int r;

	json_open(&l->j, l->r, l->a);
	if ((r = json_next(&l->j, &t, e)) < 0)
		return r;
	if (t.type != JSON_OBJECT)
		return err_set(e, ERR_FORMAT, "a line is no object");
	while (!last) {
		if ((r = json_next(&l->j, &t, e)) < 0)
			return r;
		if (t.type != JSON_KEY)
			break;
		if ((r = json_next(&l->j, &v, e)) < 0)
			return r;
		if (v.type == JSON_STRING || v.type == JSON_NUMBER)
			last = take_value(l, t.str, &v, keep);
		else if (v.type != JSON_OBJECT || strcmp(t.str, "stat") != 0)
			r = json_skip(&l->j, &v, e);
		if (r < 0)
			return r;
		last = last || (l->known && (classes & 1U << l->f.class) ==
		    0);
	}
	return 0;
}

/* Past the line feed; 0 at the end of the file. */
static int
next_line(struct reader *r, struct err *e)
{
	uint8_t c;
	int rc;

	while ((rc = reader_u8(r, &c, e)) >= 0)
		if (c == '\n')
			return reader_left(r) > 0 ? 1 : 0;
	return rc;
}

/* What is of no use here is passed over. */
static int
add_line(struct members *m, const struct member *f, unsigned classes,
    struct arena *a, struct err *e)
{
	struct member *place;

	if (f->type == '\0' || (classes & 1U << f->class) == 0)
		return 0;
	if (m->n == LIMIT_INTAKE_MEMBERS) {
		m->cut = true;
		return 0;
	}
	if (f->path == NULL || (place = next_place(m, a)) == NULL)
		return err_set(e, ERR_NOMEM, "no room for the list of members");
	*place = *f;
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
    struct arena *keep, struct err *e)
{
	struct line l = {.r = r};
	int rc = reader_left(r) > 0 ? 1 : 0;

	while (rc > 0) {
		if (l.a == NULL && (l.a = arena_new(LINES_ARENA)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		l.f = (struct member){.since_ns = INT64_MIN,
		    .until_ns = INT64_MAX};
		l.known = false;
		if ((rc = read_line(&l, classes, keep, e)) >= 0 &&
		    (rc = !l.known ? 0 : add_line(m, &l.f, classes, keep,
		    e)) >= 0)
			rc = next_line(r, e);
		if (rc > 0 && arena_used(l.a) > LINES_FULL) {
			arena_free(l.a);
			l.a = NULL;
		}
	}
	arena_free(l.a);
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
