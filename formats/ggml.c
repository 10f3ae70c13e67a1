#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"

/*
 * What ggml wrote before GGUF (2022 and 2023): a magic number that stands low
 * byte first, so "ggml" reads "lmgg", from version "ggmf" on a u32 version,
 * then hyperparameters whose number depends on the program that reads them.
 * Without that program the rest has no boundaries: it is reported, searched
 * for pickles, and incomplete.
 */
static const struct kind {
	char magic[5];
	const char *name;
	uint32_t versions;	/* the highest; 0: it has none */
} kinds[] = {{"lmgg", "ggml", 0}, {"fmgg", "ggmf", 1}, {"tjgg", "ggjt", 3},
    {"algg", "ggla", 1}, {"nsgg", "ggsn", 16}};

/* Fields behind the magic are small numbers in every one of them. */
#define SMALL 0x1000000
#define HEAD 16

static const struct kind *
find_kind(struct cursor *head)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (cursor_match(head, (const uint8_t *)kinds[i].magic, 4))
			return &kinds[i];
	return NULL;
}

static unsigned
ggml_bid(struct cursor head, uint64_t size)
{
	const struct kind *k = find_kind(&head);
	uint32_t v;

	if (k == NULL || size < HEAD || !cursor_u32le(&head, &v) ||
	    v >= SMALL || (k->versions > 0 && v > k->versions))
		return 0;
	return k->versions > 0 ? 56 : 40;
}

static int
ggml_parse(struct parse *p)
{
	struct ev_member m = {.name = "weights", .name_len = 7, .off = 4,
	    .flags = MEMBER_VIRTUAL, .format = "carved"};
	const struct kind *k;
	uint8_t raw[HEAD];
	struct bytesrc *src;
	struct fact facts[2];
	struct cursor c;
	uint32_t version = 0;
	int r;

	if (p->size < HEAD)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if ((r = bytesrc_read(p->src, 0, raw, sizeof(raw), p->e)) < 0)
		return r;
	cursor_init(&c, raw, sizeof(raw), 0);
	if ((k = find_kind(&c)) == NULL || !cursor_u32le(&c, &version))
		return (r = format_anomaly(p, ANOMALY_MALFORMED, 0, 4, NULL,
		    0)) < 0 ? r : 1;
	facts[0] = (struct fact)FACT_TEXT("kind", k->name, strlen(k->name));
	facts[1] = (struct fact)FACT_NUM("version", version);
	if ((r = format_anomaly(p, ANOMALY_UNSUPPORTED, 0, p->size, facts,
	    k->versions > 0 ? 2 : 1)) < 0)
		return r;
	m.size = p->size - m.off;
	if ((src = bytesrc_range(p->src, m.off, m.size, p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(p, &m);
	bytesrc_free(src);
	return r < 0 ? r : 1;
}

const struct format format_ggml_legacy = {
    .name = "ggml_legacy",
    .kind = FORMAT_MODEL,
    .bid = ggml_bid,
    .parse = ggml_parse,
};
