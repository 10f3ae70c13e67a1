#include <inttypes.h>

#include "base/buf.h"
#include "base/text.h"
#include "custody/case_body.h"
#include "custody/case_summary.h"
#include "custody/ledger.h"

/*
 * Text in a body went through text_printable when it was written and stays
 * as it is; a ledger that another hand wrote is escaped again.
 */
static void
put_text(struct buf *b, const char *s, size_t n)
{
	size_t i, step;
	uint32_t cp;

	for (i = 0; i < n; i += step) {
		step = text_utf8_len((const uint8_t *)s + i, n - i, &cp);
		if (step == 0 || !text_cp_printable(cp)) {
			text_put(b, s, n, TEXT_PLAIN);
			return;
		}
	}
	buf_put(b, s, n);
}

static void
put_value(struct buf *b, const struct case_pair *p)
{
	switch (p->type) {
	case JSON_TRUE:
		buf_puts(b, "true");
		break;
	case JSON_FALSE:
		buf_puts(b, "false");
		break;
	case JSON_NULL:
		buf_puts(b, "null");
		break;
	case JSON_STRING:
	case JSON_NUMBER:
	case JSON_END:
	case JSON_OBJECT:
	case JSON_OBJECT_END:
	case JSON_ARRAY:
	case JSON_ARRAY_END:
	case JSON_KEY:
		put_text(b, p->str, p->len);
		break;
	}
}

/* key=value of every scalar below ${prefix} ("data.") */
static void
put_all(struct buf *b, const struct case_body *body, const char *prefix)
{
	size_t n = strlen(prefix), i;
	const struct case_pair *p;
	bool any = false;

	for (i = 0; i < body->count && b->len <= CASE_SUMMARY_MAX; i++) {
		p = &body->pairs[i];
		if (strncmp(p->key, prefix, n) != 0 || p->type == JSON_OBJECT ||
		    p->type == JSON_ARRAY)
			continue;
		if (any)
			buf_puts(b, ", ");
		any = true;
		buf_printf(b, "%s=", p->key + n);
		put_value(b, p);
	}
}

static void
put_key(struct buf *b, const struct case_body *body, const char *before,
    const char *key)
{
	const struct case_pair *p = case_body_find(body, key);

	if (p == NULL)
		return;
	buf_puts(b, before);
	put_value(b, p);
}

static void
genesis(struct buf *b, const struct case_body *body)
{
	char role[64], cert[64];
	unsigned i;

	buf_puts(b, "case begun");
	for (i = 0; i < 16; i++) {
		snprintf(role, sizeof(role), "data.parties.%u.role", i);
		snprintf(cert, sizeof(cert), "data.parties.%u.cert_sha256", i);
		if (case_body_find(body, role) == NULL)
			break;
		put_key(b, body, "; ", role);
		put_key(b, body, " certificate ", cert);
	}
}

static void
incident(struct buf *b, const struct case_body *body)
{
	char name[64], size[64], kind[64], checked[64];
	unsigned i;

	if (case_body_find(body, "data.acquire_seq") == NULL) {
		put_all(b, body, "data.");
		return;
	}
	put_key(b, body, "never sealed, begun in event ", "data.acquire_seq");
	buf_puts(b, "; in bundles/: ");
	if (case_body_find(body, "data.files.0") == NULL)
		buf_puts(b, "nothing");
	for (i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "data.files.%u.name", i);
		snprintf(size, sizeof(size), "data.files.%u.size", i);
		snprintf(kind, sizeof(kind), "data.files.%u.kind", i);
		snprintf(checked, sizeof(checked), "data.files.%u.checked", i);
		if (case_body_find(body, name) == NULL)
			break;
		put_key(b, body, i > 0 ? "; " : "", kind);
		put_key(b, body, " file ", name);
		put_key(b, body, " of ", size);
		put_key(b, body, " bytes, ", checked);
	}
}

void
case_summary(struct buf *b, const char *kind, const struct case_body *body)
{
	struct buf line;
	size_t keep;

	/* One value more than the maximum, of a whole body, escaped. */
	buf_init(&line, LEDGER_BODY_MAX * (TEXT_GROWTH + 1));
	if (strcmp(kind, "genesis") == 0) {
		genesis(&line, body);
	} else if (strcmp(kind, "acquire") == 0) {
		put_key(&line, body, "", "data.phase");
		put_key(&line, body, "; ", "data.location");
		if (case_body_find(body, "data.request") != NULL)
			buf_puts(&line, "; ");
		put_all(&line, body, "data.request.");
	} else if (strcmp(kind, "seal") == 0) {
		put_key(&line, body, "sealed, ", "data.size");
		put_key(&line, body, " bytes, SHA-256 ", "data.bundle_sha256");
		if (case_summary_streamed(body))
			buf_puts(&line, ", not re-read");
	} else if (strcmp(kind, "incident") == 0) {
		incident(&line, body);
	} else if (strcmp(kind, "verify") == 0) {
		put_key(&line, body, "result ", "data.result");
		put_key(&line, body, ", bundle SHA-256 ", "data.bundle_sha256");
	} else {
		put_all(&line, body, "data.");
	}
	keep = line.len;
	if (keep > CASE_SUMMARY_MAX) {
		/* Not within a character. */
		for (keep = CASE_SUMMARY_MAX - 3;
		     keep > 0 && (line.p[keep] & 0xc0) == 0x80; keep--)
			;
	}
	buf_put(b, line.p, keep);
	if (keep < line.len)
		buf_puts(b, "...");
	if (buf_failed(&line) < 0 && b->failed == 0)
		b->failed = buf_failed(&line);
	buf_release(&line);
}

/* Any member of data that says so: "not re-read" is the contract's word. */
bool
case_summary_streamed(const struct case_body *body)
{
	size_t i;

	for (i = 0; i < body->count; i++)
		if (strncmp(body->pairs[i].key, "data.", 5) == 0 &&
		    body->pairs[i].type == JSON_STRING &&
		    strcmp(body->pairs[i].str, "not re-read") == 0)
			return true;
	return false;
}
