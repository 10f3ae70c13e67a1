#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/json_write.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/bagtext.h"
#include "custody/manifest.h"

#define TOOL "Bag-Software-Agent: "
#define DATE "Bagging-Date: "
#define EXTERNAL "External-Identifier: "
#define OXUM "Payload-Oxum: "

static void
put_list(struct json_write *w, const char *key, const char *const *item,
    size_t n)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < n; i++)
		if (item[i] != NULL)
			json_str(w, item[i]);
	json_end_array(w);
}

void
bagtext_container(struct buf *b, const struct bagtext_container *c)
{
	bool both = (c->digests & DIGEST_SHA512) != 0;
	const char *const digests[] = {"sha256", both ? "sha512" : NULL};
	const char *const manifests[] = {BAG_MANIFEST256,
	    both ? BAG_MANIFEST512 : NULL};
	const char *const trailer[] = {BAG_CONTAINER, BAG_SEAL, BAG_P7S,
	    c->token ? BAG_TSR : NULL, BAG_TAGMANIFEST256,
	    both ? BAG_TAGMANIFEST512 : NULL};
	struct json_write w;

	json_init(&w, b, JSON_PRETTY);
	json_begin_object(&w);
	json_kstr(&w, "bag", c->bag);
	put_list(&w, "digests", digests, 2);
	json_kstr(&w, "format", BAG_FORMAT);
	json_ku64(&w, "header_mtime", c->header_mtime);
	put_list(&w, "manifests", manifests, 2);
	json_ku64(&w, "members", c->members);
	json_khex(&w, "merkle_root", c->merkle_root, 32);
	json_ku64(&w, "payload_bytes", c->payload_bytes);
	json_ku64(&w, "prefix_len", c->prefix_len);
	json_khex(&w, "prefix_sha256", c->prefix_sha256, 32);
	put_list(&w, "trailer", trailer, 6);
	json_ku64(&w, "version", 1);
	json_end_object(&w);
	buf_putc(b, '\n');
}

void
bagtext_info(struct buf *b, const struct bagtext_info *i)
{
	char when[CLOCK_TEXT];

	buf_puts(b, TOOL);
	buf_put(b, i->tool, i->tool_len);
	clock_rfc3339(when, (int64_t)i->header_mtime * 1000000000, 0);
	buf_printf(b, "\n" DATE "%.10s\n" EXTERNAL, when);
	buf_put(b, i->external_id, i->external_id_len);
	buf_printf(b, "\n" OXUM "%llu.%llu\n",
	    (unsigned long long)i->payload_bytes,
	    (unsigned long long)i->members);
}

/* "LABEL: value", the value not empty. */
static bool
take_line(struct cursor *c, const char *label, const char **value, size_t *n)
{
	struct cursor line;

	if (!cursor_line(c, '\n', &line) || !cursor_match(&line,
	    (const uint8_t *)label, strlen(label)) || cursor_at_end(&line))
		return false;
	*value = (const char *)line.buf + line.off;
	*n = cursor_left(&line);
	return true;
}

bool
bagtext_info_read(const uint8_t *p, size_t n, struct bagtext_info *ret)
{
	struct bagtext_info i = {0};
	const char *value;
	struct cursor c;
	size_t len;

	cursor_init(&c, p, n, 0);
	if (!take_line(&c, TOOL, &i.tool, &i.tool_len) ||
	    !take_line(&c, DATE, &value, &len) ||
	    !take_line(&c, EXTERNAL, &i.external_id, &i.external_id_len))
		return false;
	*ret = i;
	return true;
}

void
bagtext_body(struct buf *b, const struct bagtext_body *t)
{
	char hex[65];

	digest_hex(hex, t->records_sha256, 32);
	buf_printf(b, "Body-Of: " BAG_FORMAT "\nRecords-Length: %llu\n"
	    "Records-SHA256: %s\nObjects: %llu\nStored: %llu\nBytes: %llu\n"
	    "Errors: %llu\nChanged: %llu\nDuplicates: %llu\n",
	    (unsigned long long)t->records_len, hex,
	    (unsigned long long)t->objects, (unsigned long long)t->stored,
	    (unsigned long long)t->bytes, (unsigned long long)t->errors,
	    (unsigned long long)t->changed,
	    (unsigned long long)t->duplicates);
}

static bool
take_number(struct cursor *c, const char *label, uint64_t *ret)
{
	const char *value;
	size_t n;

	return take_line(c, label, &value, &n) &&
	    text_u64(value, n, 10, UINT64_MAX, ret);
}

static bool
take_digest(struct cursor *c, const char *label, uint8_t ret[32])
{
	const char *value;
	size_t n;

	return take_line(c, label, &value, &n) && n == 64 &&
	    text_unhex(ret, value, n);
}

/* Blanks, zeros in front and the like show when it is written again. */
bool
bagtext_body_read(const uint8_t *p, size_t n, struct bagtext_body *ret)
{
	struct bagtext_body t = {0};
	const char *value;
	struct cursor c;
	struct buf again;
	size_t len;
	bool ok;

	cursor_init(&c, p, n, 0);
	if (!take_line(&c, "Body-Of: ", &value, &len) ||
	    !take_number(&c, "Records-Length: ", &t.records_len) ||
	    !take_digest(&c, "Records-SHA256: ", t.records_sha256) ||
	    !take_number(&c, "Objects: ", &t.objects) ||
	    !take_number(&c, "Stored: ", &t.stored) ||
	    !take_number(&c, "Bytes: ", &t.bytes) ||
	    !take_number(&c, "Errors: ", &t.errors) ||
	    !take_number(&c, "Changed: ", &t.changed) ||
	    !take_number(&c, "Duplicates: ", &t.duplicates))
		return false;
	buf_init(&again, 4096);
	bagtext_body(&again, &t);
	ok = buf_failed(&again) == 0 && again.len == n &&
	    memcmp(again.p, p, n) == 0;
	buf_release(&again);
	if (ok)
		*ret = t;
	return ok;
}

void
bagtext_lines(struct buf *b, const struct bagtext_tag *t, size_t n,
    enum digest_set which)
{
	for (size_t i = 0; i < n; i++)
		manifest_put(b, which == DIGEST_SHA512 ?
		    t[i].digests.sha512 : t[i].digests.sha256,
		    which == DIGEST_SHA512 ? 64 : 32, t[i].name,
		    strlen(t[i].name));
}
