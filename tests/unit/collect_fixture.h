#ifndef TESTS_UNIT_COLLECT_FIXTURE_H_
#define TESTS_UNIT_COLLECT_FIXTURE_H_

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "collector/run.h"
#include "custody/bag.h"
#include "custody/digest.h"

/*
 * A source directory, and a collection in progress whose bundle is in memory:
 * records are looked at before they go into it.
 *
 * Hooks make races certain: on_record runs while an object is recorded (a
 * directory is recorded before it is opened), on_chunk behind each chunk that
 * was read.
 */
struct scene {
	char dir[PATH_MAX];	/* without a link in it */
	struct collect_options o;
	struct collect c;
	struct evidence_writer *w;
	struct err e;
	int fd;			/* the bundle */
	void (*on_record)(struct scene *s);
	void (*on_chunk)(struct scene *s, uint64_t bytes);
	unsigned records, chunks;
	struct buf line;
};

static struct scene *now;

static inline const char *
hook_record(uid_t uid)
{
	(void)uid;
	now->records++;
	if (now->on_record != NULL)
		now->on_record(now);
	return NULL;
}

static inline void
hook_chunk(void *ctx, const struct collect_totals *t, const char *path)
{
	struct scene *s = ctx;

	(void)path;
	s->chunks++;
	if (s->on_chunk != NULL)
		s->on_chunk(s, t->bytes);
}

static inline void
begin_bundle(struct scene *s)
{
	const struct evidence_params p = {.fd = s->fd, .bag = "CASE-E01",
	    .digests = s->o.digests, .header_mtime = 1774353600,
	    .external_id = "CASE-E01", .tool = "exhibit test"};

	assert_int_equal(evidence_writer_new(&p, &s->w, &s->e), 0);
	assert_int_equal(evidence_tag(s->w, BAG_ACQUISITION, "{}\n", 3,
	    &s->e), 0);
	s->c.w = s->w;
}

static inline int
scene_setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	char made[] = "/tmp/exhibit-source-XXXXXX";

	assert_non_null(s);
	assert_non_null(mkdtemp(made));
	assert_non_null(realpath(made, s->dir));
	s->e = (struct err)ERR_INIT;
	assert_true((s->fd = memfd_create("bundle", MFD_CLOEXEC)) >= 0);
	s->o.digests = DIGEST_SHA256;
	s->o.bag = "CASE-E01";
	s->o.user_name = hook_record;
	s->o.progress = hook_chunk;
	s->o.progress_ctx = s;
	s->c = (struct collect){.o = &s->o, .e = &s->e, .how = "test"};
	assert_int_equal(record_open(&s->c.files, &s->e), 0);
	assert_int_equal(record_open(&s->c.errors, &s->e), 0);
	assert_int_equal(record_open(&s->c.log, &s->e), 0);
	buf_init(&s->line, 16 * MIB);
	begin_bundle(s);
	now = s;
	*state = s;
	return 0;
}

/* rm -r: names may be deeper than a path can say. */
static inline void
remove_below(int dir)
{
	DIR *d = fdopendir(dir);
	struct dirent *de;
	int fd;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 ||
		    unlinkat(dirfd(d), de->d_name, 0) == 0)
			continue;
		assert_int_equal(fchmodat(dirfd(d), de->d_name, 0700, 0), 0);
		fd = openat(dirfd(d), de->d_name, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		assert_true(fd >= 0);
		remove_below(fd);
		assert_int_equal(unlinkat(dirfd(d), de->d_name, AT_REMOVEDIR),
		    0);
	}
	(void)closedir(d);
}

static inline int
scene_teardown(void **state)
{
	struct scene *s = *state;
	int fd;

	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	remove_below(fd);
	assert_int_equal(rmdir(s->dir), 0);
	evidence_writer_free(s->w);
	mounts_release(&s->c.mount);
	record_close(&s->c.files);
	record_close(&s->c.errors);
	record_close(&s->c.log);
	buf_release(&s->line);
	(void)close(s->fd);
	free(s);
	return 0;
}

/* "DIR/name"; up to four at once. */
static inline const char *
at(const struct scene *s, const char *name)
{
	static char path[4][2 * PATH_MAX];
	static unsigned turn;
	char *p = path[turn++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", s->dir, name);
	return p;
}

static inline void
put(const struct scene *s, const char *name, const void *p, size_t n)
{
	int fd = open(at(s, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	(void)close(fd);
}

static inline void
put_text(const struct scene *s, const char *name, const char *text)
{
	put(s, name, text, strlen(text));
}

static inline void
put_dir(const struct scene *s, const char *name)
{
	assert_int_equal(mkdir(at(s, name), 0755), 0);
}

/* Bytes that differ from one chunk to the next. */
static inline uint8_t *
pattern(size_t n)
{
	uint8_t *p = malloc(n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 31 + i / 251 + i / 65536);
	return p;
}

/* Take a path; what could not be read is counted, and no failure. */
static inline void
take_as(struct scene *s, enum bag_class class, const char *path)
{
	const struct collect_source source = {.class = class,
	    .path = path};

	if (walk_source(&s->c, &source) != 0)
		fail_msg("walk: %s", s->e.msg);
}

static inline void
take(struct scene *s, const char *name)
{
	take_as(s, BAG_WEIGHTS, *name != '\0' ? at(s, name) : s->dir);
}

/* The n-th line of a record that holds ${part}, or NULL. */
static inline const char *
nth_line(struct scene *s, struct record_file *f, const char *part, unsigned n)
{
	const char *p = buf_str(&f->b), *end;
	size_t len = strlen(part);

	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		if (memmem(p, (size_t)(end - p), part, len) == NULL ||
		    n-- > 0)
			continue;
		buf_clear(&s->line);
		buf_put(&s->line, p, (size_t)(end - p));
		return buf_str(&s->line);
	}
	return NULL;
}

/* ${key} with the absolute path of ${name} in hex, as records have it. */
static inline const char *
hex_of(const struct scene *s, const char *name)
{
	static char part[4 * PATH_MAX];
	const char *path = *name != '\0' ? at(s, name) : s->dir;
	size_t n = (size_t)snprintf(part, sizeof(part), "\"path_hex\":\"");

	for (; *path != '\0'; path++)
		n += (size_t)snprintf(part + n, sizeof(part) - n, "%02x",
		    (uint8_t)*path);
	(void)snprintf(part + n, sizeof(part) - n, "\"");
	return part;
}

static inline const char *
seen(struct scene *s, const char *name)
{
	return nth_line(s, &s->c.files, hex_of(s, name), 0);
}

static inline const char *
record_of(struct scene *s, const char *name)
{
	const char *line = seen(s, name);

	if (line == NULL)
		fail_msg("'%s' is not in files.jsonl", name);
	return line;
}

static inline const char *
error_of(struct scene *s, const char *name)
{
	const char *line = nth_line(s, &s->c.errors, hex_of(s, name), 0);

	if (line == NULL)
		fail_msg("'%s' is not in errors.jsonl", name);
	return line;
}

static inline void
has(const char *line, const char *part)
{
	assert_non_null(line);
	if (strstr(line, part) == NULL)
		fail_msg("no %s in %s", part, line);
}

static inline void
lacks(const char *line, const char *part)
{
	assert_non_null(line);
	if (strstr(line, part) != NULL)
		fail_msg("%s in %s", part, line);
}

static inline uint64_t
number_of(const char *line, const char *key)
{
	const char *p = strstr(line, key);
	uint64_t v = 0;

	assert_non_null(p);
	p += strlen(key);
	assert_true(text_u64(p, strspn(p, "0123456789"), 10, UINT64_MAX, &v));
	return v;
}

/*
 * The bundle has p[0..n) at ${off}.  Small members wait in the writer:
 * a large one behind them makes it write.
 */
static inline void
bundle_has(struct scene *s, uint64_t off, const void *p, size_t n)
{
	static const uint8_t fill[256 * KIB];
	struct evidence_place place;
	uint8_t *got = malloc(n + 1);
	uint64_t short_by;
	char member[64];

	assert_non_null(got);
	if (lseek(s->fd, 0, SEEK_END) < (off_t)(off + n)) {
		(void)snprintf(member, sizeof(member), "data/other/fill%llu",
		    (unsigned long long)off);
		assert_int_equal(evidence_begin(s->w, member, sizeof(fill), 1,
		    &s->e), 0);
		assert_int_equal(evidence_put(s->w, fill, sizeof(fill),
		    &s->e), 0);
		assert_int_equal(evidence_end(s->w, &place, &short_by, &s->e),
		    0);
	}
	assert_int_equal(lseek(s->fd, (off_t)off, SEEK_SET), (off_t)off);
	for (size_t done = 0; done < n;) {
		ssize_t r = read(s->fd, got + done, n - done);

		assert_true(r > 0);
		done += (size_t)r;
	}
	assert_true(lseek(s->fd, 0, SEEK_END) > 0);
	assert_memory_equal(got, p, n);
	free(got);
}

/* The member that a record points to has these bytes, and this digest. */
static inline void
stored(struct scene *s, const char *name, const void *p, size_t n)
{
	const char *line = record_of(s, name);
	struct digests d;
	char part[96], hex[65];

	assert_int_equal(number_of(strstr(line, "\"stat\""), "\"size\":"), n);
	assert_int_equal(digest_mem(p, n, DIGEST_SHA256, &d, NULL), 0);
	digest_hex(hex, d.sha256, 32);
	(void)snprintf(part, sizeof(part), "\"sha256\":\"%s\"", hex);
	has(line, part);
	bundle_has(s, number_of(line, "\"data_offset\":"), p, n);
}

static inline void
counts(const struct scene *s, uint64_t objects, uint64_t stored_count,
    uint64_t errors)
{
	assert_int_equal(s->c.totals.objects, objects);
	assert_int_equal(s->c.totals.stored, stored_count);
	assert_int_equal(s->c.totals.errors, errors);
}

/* Is this one JSON value, strictly? */
static inline bool
is_json(const char *p, size_t n)
{
	struct arena *a = arena_new(64 * MIB);
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	struct json_token t = {.type = JSON_NULL};
	struct reader r;
	struct json j;
	uint64_t rest;
	bool blanks = false;

	assert_true(a != NULL && src != NULL);
	assert_int_equal(reader_init(&r, src, 0, 4096, a, NULL), 0);
	json_open(&j, &r, a);
	while (json_next(&j, &t, NULL) == 0 && t.type != JSON_END)
		;
	if (t.type != JSON_END ||
	    json_trailing(&j, &rest, &blanks, NULL) < 0)
		blanks = false;
	bytesrc_free(src);
	arena_free(a);
	return blanks;
}

/* Root for a moment somebody else; no change when we are nobody already. */
static inline void
be_nobody(void)
{
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
}

static inline void
be_root_again(void)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* What this machine cannot do is skipped, and said. */
#define SKIP(why) \
	do { \
		(void)printf("SKIP: %s: %s\n", __func__, why); \
		skip(); \
	} while (0)

#define SCENE_TEST(f) cmocka_unit_test_setup_teardown(f, scene_setup, \
    scene_teardown)

#endif /* !TESTS_UNIT_COLLECT_FIXTURE_H_ */
