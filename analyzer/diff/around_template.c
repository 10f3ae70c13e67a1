#include <string.h>

#include "analyzer/diff/around.h"
#include "analyzer/diff/around_config.h"
#include "analyzer/srcdigest.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/flatjson.h"
#include "formats/jinja_outline.h"
#include "formats/registry.h"

/*
 * A side's templates, wherever they stand, as one list: "default: does if
 * ...".  A template that wandered from tokenizer_config.json into a file of
 * its own is the same template.
 */
struct gather {
	struct flatjson f;
	const struct doc *doc;
	struct row_text path;	/* of the last file that had one */
	struct arena *arena;
	struct err *e;
};

static int
put(struct gather *g, const char *name, size_t name_len, const void *t,
    size_t n)
{
	char prefix[128];
	size_t len = name_len < 100 ? name_len : 100;

	memcpy(prefix, name, len);
	memcpy(prefix + len, ": ", 3);
	g->path = (struct row_text){g->doc->path, g->doc->path_len};
	return jinja_outline_put(&g->f, prefix, t, n, g->e);
}

static bool
ends_in(const char *p, size_t n, const char *tail)
{
	size_t len = strlen(tail);

	return n >= len && memcmp(p + n - len, tail, len) == 0;
}

/* What cannot be read as a template is one all the same: by its digest. */
static int
put_unread(struct gather *g)
{
	static const char why[] = " (too long, or broken)";
	uint8_t digest[32];
	struct buf key, value;
	const char *name;
	size_t n;
	int r;

	if ((r = srcdigest(g->doc->src, digest, g->e)) < 0)
		return r;
	name = around_base(g->doc, &n);
	buf_init(&key, sizeof(why) + LIMIT_PATH);
	buf_init(&value, 128);
	buf_put(&key, name, n < LIMIT_PATH ? n : LIMIT_PATH);
	buf_puts(&key, why);
	buf_puts(&value, "sha256:");
	buf_hex(&value, digest, sizeof(digest));
	g->path = (struct row_text){g->doc->path, g->doc->path_len};
	r = flatjson_put(&g->f, flatjson_leaf(buf_str(&key), key.len,
	    FLAT_STRING, buf_str(&value), value.len), g->e);
	buf_release(&key);
	buf_release(&value);
	return r;
}

/* chat_template.jinja is the default one; additional ones have names. */
static int
from_file(struct gather *g)
{
	const uint8_t *t;
	const char *name;
	size_t n, len;
	int r;

	if ((r = around_read(g->doc, g->arena, &t, &n, g->e)) != 0)
		return r < 0 ? r : put_unread(g);
	name = around_base(g->doc, &len);
	len -= strlen(".jinja");
	if (len == 13 && memcmp(name, "chat_template", 13) == 0)
		return put(g, "default", 7, t, n);
	return put(g, name, len, t, n);
}

/* "chat_template" is a text, or a list of {name, template}. */
static int
from_list(struct gather *g, const struct flat_list *list)
{
	const struct flat *name;
	char key[64];
	int r = 0;

	for (size_t i = 0; i < list->n && r >= 0; i++) {
		const struct flat *x = &list->v[i];

		if (x->type != FLAT_STRING || x->key_len < 13 ||
		    memcmp(x->key, "chat_template", 13) != 0)
			continue;
		if (x->key_len == 13) {
			r = put(g, "default", 7, x->p, x->n);
		} else if (ends_in(x->key, x->key_len, "].template") &&
		    x->key_len < sizeof(key)) {
			memcpy(key, x->key, x->key_len - 8);
			memcpy(key + x->key_len - 8, "name", 5);
			name = flatjson_find(list->v, list->n, key);
			r = name != NULL ? put(g, name->p, name->n, x->p,
			    x->n) : put(g, x->key, x->key_len, x->p, x->n);
		}
	}
	return r;
}

static int
from_json(struct gather *g)
{
	struct flatjson f = {.a = g->arena};
	struct flat_list list;
	struct json_token tok;
	struct err why = ERR_INIT;
	struct reader rd;
	struct json j;

	if (g->doc->size > AROUND_TEXT_MAX ||
	    reader_init(&rd, g->doc->src, 0, 0, g->arena, &why) < 0)
		return put_unread(g);
	json_open(&j, &rd, g->arena);
	if (json_next(&j, &tok, &why) < 0 ||
	    flatjson_value(&f, "", &j, &tok, &why) < 0 ||
	    flatjson_done(&f, &list, &why) < 0)
		return why.code == ERR_NOMEM ? err_set(g->e, ERR_NOMEM,
		    "out of memory") : put_unread(g);
	return from_list(g, &list);
}

static int
on_meta(void *ctx, const struct ev_meta *m)
{
	static const char key[] = "tokenizer.chat_template";
	const size_t n = sizeof(key) - 1;
	struct gather *g = ctx;

	if (m->key_len < n || memcmp(m->key, key, n) != 0)
		return 0;
	if (m->key_len == n)
		return put(g, "default", 7, m->value, m->value_len);
	return m->key[n] == '.' ? put(g, m->key + n + 1,
	    m->key_len - n - 1, m->value, m->value_len) : 0;
}

static int
from_gguf(struct gather *g)
{
	static const struct events events = {.meta = on_meta};
	const struct format *f = registry_find("gguf");
	struct err why = ERR_INIT;
	struct parse p = {.src = g->doc->src, .size = g->doc->size,
	    .arena = g->arena, .ev = &events, .ctx = g, .e = &why};

	/* What ends it early was told when its tensors were read. */
	(void)f->parse(&p);
	return g->e->code != ERR_OK ? (int)g->e->code : 0;
}

static int
from_doc(struct gather *g)
{
	static const char *const files[] = {"tokenizer_config.json",
	    "chat_template.json", "processor_config.json"};
	size_t n;
	const char *name = around_base(g->doc, &n);

	if (ends_in(name, n, ".jinja"))
		return from_file(g);
	if (strcmp(g->doc->format, "gguf") == 0)
		return from_gguf(g);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (n == strlen(files[i]) && memcmp(name, files[i], n) == 0)
			return from_json(g);
	return 0;
}

static int
gather_all(struct gather *g, const struct docs *docs, struct flat_list *ret)
{
	int r = 0;

	for (size_t i = 0; i < docs->n && r >= 0; i++) {
		g->doc = &docs->v[i];
		r = from_doc(g);
	}
	return r < 0 ? r : flatjson_done(&g->f, ret, g->e);
}

int
around_templates(const struct around *a, struct arena *arena)
{
	struct gather g[ROW_SIDES];
	struct flat_list list[ROW_SIDES];
	int r;

	for (unsigned s = 0; s < ROW_SIDES; s++) {
		g[s] = (struct gather){.f = {.a = arena}, .arena = arena,
		    .e = a->e};
		if ((r = gather_all(&g[s], &a->side[s], &list[s])) < 0)
			return r;
	}
	return around_flat(&list[ROW_OLD], &list[ROW_NEW], CHANGE_TEMPLATE,
	    g[ROW_NEW].path.p != NULL ? g[ROW_NEW].path : g[ROW_OLD].path,
	    a->rows, a->e);
}
