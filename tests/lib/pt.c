#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/pt.h"

extern const struct format format_zip;

struct pt_bytes pt_pickle, pt_file;
static struct pt_bytes central;
static unsigned members;

static void
put(struct pt_bytes *b, const void *p, size_t n)
{
	assert_true(n <= PT_ROOM - b->n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void
put_le(struct pt_bytes *b, uint64_t v, unsigned width)
{
	uint8_t raw[8];

	for (unsigned i = 0; i < width; i++)
		raw[i] = (uint8_t)(v >> (8 * i));
	put(b, raw, width);
}

void
pt_u8(unsigned v)
{
	put_le(&pt_pickle, v, 1);
}

void
pt_ops(const char *p)
{
	put(&pt_pickle, p, strlen(p));
}

void
pt_text(const char *p)
{
	pt_ops("X");
	put_le(&pt_pickle, strlen(p), 4);
	pt_ops(p);
}

void
pt_number(uint64_t v)
{
	pt_ops("J");
	put_le(&pt_pickle, v, 4);
}

static void
numbers(const uint64_t *v, unsigned n)
{
	pt_ops("(");
	for (unsigned i = 0; i < n; i++)
		pt_number(v[i]);
	pt_ops("t");
}

static void
persid(const struct pt_tensor *m)
{
	pt_ops("(");
	pt_text("storage");
	pt_ops("ctorch\n");
	pt_ops(m->storage);
	pt_ops("Storage\n");
	pt_text(m->key);
	pt_text("cpu");
	pt_number(m->count);
	pt_ops("tQ");
}

void
pt_tensor(const struct pt_tensor *m)
{
	pt_ops("ctorch._utils\n_rebuild_tensor_v2\n(");
	persid(m);
	pt_number(m->first);
	numbers(m->shape, m->rank);
	numbers(m->stride, m->rank);
	pt_ops("\x89" "ccollections\nOrderedDict\n)RtR");
}

void
pt_vector(const char *key)
{
	const struct pt_tensor m = {key, "Float", 4, 0, 1, {4}, {1}};

	pt_tensor(&m);
}

void
pt_begin(void)
{
	pt_pickle.n = pt_file.n = 0;
	central.n = members = 0;
	pt_ops("\x80\x02");
}

void
pt_member(const char *name, const void *p, size_t n, bool deflate_it)
{
	static uint8_t packed[PT_ROOM];
	uLong crc = crc32(0, p, (uInt)n);
	size_t at = pt_file.n, m = n;
	z_stream z = {0};

	if (deflate_it) {
		z.next_in = (Bytef *)(uintptr_t)p;
		z.avail_in = (uInt)n;
		z.next_out = packed;
		z.avail_out = PT_ROOM;
		assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8,
		    Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		m = z.total_out;
		(void)deflateEnd(&z);
		p = packed;
	}
	for (unsigned k = 0; k < 2; k++) {
		struct pt_bytes *to = k == 0 ? &pt_file : &central;

		put(to, k == 0 ? "PK\3\4" : "PK\1\2\x14\0", k == 0 ? 4 : 6);
		put_le(to, 20, 2);
		put_le(to, 0, 2);
		put_le(to, deflate_it ? 8 : 0, 2);
		put_le(to, 0x21 << 16, 4);
		put_le(to, crc, 4);
		put_le(to, m, 4);
		put_le(to, n, 4);
		put_le(to, strlen(name), 2);
		put_le(to, 0, 2);
		if (k == 1) {
			put_le(to, 0, 6);
			put_le(to, 0, 4);
			put_le(to, at, 4);
		}
		put(to, name, strlen(name));
	}
	put(&pt_file, p, m);
	members++;
}

void
pt_end(void)
{
	size_t at = pt_file.n;

	put(&pt_file, central.p, central.n);
	put(&pt_file, "PK\5\6\0\0\0\0", 8);
	put_le(&pt_file, members, 2);
	put_le(&pt_file, members, 2);
	put_le(&pt_file, central.n, 4);
	put_le(&pt_file, at, 4);
	put_le(&pt_file, 0, 2);
}

struct pt_seen pt_seen[PT_VIEWS];
unsigned pt_views, pt_anomalies, pt_tensors;
enum anomaly anomaly[64];
int pt_rc;

int
pt_on_view(void *ctx, const struct ev_view *v)
{
	const struct parse *p = ctx;
	struct pt_seen *s = &pt_seen[pt_views++];
	size_t n;

	assert_true(pt_views <= PT_VIEWS && v->rank <= 4);
	memset(s, 0, sizeof(*s));
	(void)snprintf(s->name, sizeof(s->name), "%.*s", (int)v->name_len,
	    v->name);
	(void)snprintf(s->dtype, sizeof(s->dtype), "%s", v->dtype);
	s->rank = v->rank;
	for (unsigned i = 0; i < v->rank; i++) {
		s->shape[i] = v->shape[i];
		s->stride[i] = v->stride[i];
	}
	s->first = v->first;
	s->storage = v->storage;
	s->len = v->len;
	if (v->len > 0)
		assert_int_equal(bytesrc_read_some(v->src != NULL ? v->src :
		    p->src, v->off, &s->byte, 1, &n, NULL), 0);
	return 0;
}

int
pt_count(void *ctx, const struct ev_view *v)
{
	(void)ctx;
	(void)v;
	pt_views++;
	return 0;
}

int
pt_on_tensor(void *ctx, const struct ev_tensor *t)
{
	(void)ctx;
	(void)t;
	pt_tensors++;
	return 0;
}

int
pt_on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	(void)ctx;
	if (pt_anomalies < 64)
		anomaly[pt_anomalies] = a->id;
	pt_anomalies++;
	return 0;
}

void
pt_read_with(const struct format *f, const void *p, size_t n,
    const struct events *ev)
{
	struct err e = ERR_INIT;
	struct parse parse = {.size = n, .ev = ev, .ctx = &parse, .e = &e};
	struct bytesrc *src = bytesrc_mem(p, n, NULL);

	pt_views = pt_anomalies = pt_tensors = 0;
	parse.src = src;
	parse.arena = arena_new(LIMIT_ARENA);
	pt_rc = f->parse(&parse);
	arena_free(parse.arena);
	bytesrc_free(src);
}

void
pt_read(const struct format *f, const void *p, size_t n)
{
	static const struct events ev = {.view = pt_on_view,
	    .tensor = pt_on_tensor, .anomaly = pt_on_anomaly};

	pt_read_with(f, p, n, &ev);
}

/* The pickle as a torch archive with storages "0".."9", 16 bytes of 'a'.. */
void
pt_read_archive(bool deflate_it)
{
	char name[32];
	uint8_t raw[16];

	pt_ops(".");
	pt_member("m/data.pkl", pt_pickle.p, pt_pickle.n, deflate_it);
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "m/data/%u", i);
		memset(raw, (int)('a' + i), sizeof(raw));
		pt_member(name, raw, sizeof(raw), deflate_it);
	}
	pt_end();
	pt_read(&format_zip, pt_file.p, pt_file.n);
}

const struct pt_seen *
pt_named(const char *name)
{
	for (unsigned i = 0; i < pt_views; i++)
		if (strcmp(pt_seen[i].name, name) == 0)
			return &pt_seen[i];
	return NULL;
}

bool
pt_has(enum anomaly id)
{
	for (unsigned i = 0; i < pt_anomalies && i < 64; i++)
		if (anomaly[i] == id)
			return true;
	return false;
}
