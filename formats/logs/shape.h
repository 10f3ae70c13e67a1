#ifndef FORMATS_LOGS_SHAPE_H_
#define FORMATS_LOGS_SHAPE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "formats/logs/jdoc.h"
#include "formats/logs/lines.h"
#include "formats/logs/logs.h"
#include "formats/logs/pending.h"
#include "formats/logs/when.h"

struct fieldmap;

/*
 * For shapes: what one is, and how it fills a record.  Private to the folder.
 *
 * A shape is asked with one record of a file.  It returns 0 when the record
 * is not its own (and has filled nothing that counts), 1 when it is, and
 * negative when our side failed.  It fills the columns and calls emit_row,
 * once for each request that the record holds.
 */
struct logs_ctx;

struct logs_shape {
	const char *name;
	/* c->d is the record, an object. */
	int (*json)(struct logs_ctx *c);
	/* A line of text, without its end. */
	int (*text)(struct logs_ctx *c, struct cursor line);
};

enum logs_shape_row {
#define SHAPE(symbol, name, family, pairs) SHAPE_##symbol,
#include "formats/logs/shapes.def"
#undef SHAPE
	SHAPES
};

/* What a caller sent, or got. */
struct logs_content_part {
	const uint8_t *p;	/* decoded; NULL: none */
	size_t n;
	const char *type;	/* "text", "messages", "json", ... */
	bool placed;		/* off and len are set */
	uint64_t off, len;	/* in the file, as it stands there */
};

struct logs_ctx {
	/* for the whole run */
	const struct logs_params *p;
	struct arena *run;
	struct pending *pending, *parts;	/* ready at their first use */
	int stop;		/* what the caller's function returned, or 0 */
	struct arena *keep;	/* of the file: lines and nodes */
	struct arena *scratch;	/* of the record, or of a part of it */
	struct arena *of_part;	/* for scratch while a part is read */
	const struct fieldmap *map;
	struct err *e;
	/* of the file */
	const struct logs_file *f;
	struct lines lines;
	struct logs_account acc;
	bool unread;		/* something could not be read */
	bool has_last;
	int64_t last_ns;	/* time of the record before */
	/* Of logs without a year; 0: not yet known. */
	unsigned year, month, day;
	bool year_sought;
	/* of the record */
	struct jdoc *d;		/* the document */
	struct jdoc *inner;	/* one within: a payload */
	uint32_t obj;		/* of d: the object that is the request */
	uint64_t base;		/* in the file, of d->p[0] */
	bool placed;		/* base is set */
	const uint8_t *raw;
	uint64_t raw_n, raw_off, raw_no;
	unsigned shape;
	/* A record within another (journal, container): its time. */
	bool nested, has_outer;
	int64_t outer_ns;
	const char *outer_src;
	struct cursor journal_unit, journal_host;
	struct jdoc *spare;	/* for the document of such a record */
	struct field v[LOGS_COLUMNS];
	struct logs_content_part in, out;
	double scores[LIMIT_LOG_SCORES];
	struct logs_name classes[LIMIT_LOG_SCORES];
	size_t nclasses;
	/* What else must be equal for two halves to be of one request. */
	struct cursor scope;
	size_t content_max;	/* bytes of a content that are kept */
	uint64_t secrets;
	struct {
		const uint8_t *p;
		size_t n;
	} hit[64];		/* of the record, those of the raw one first */
	/* The raw record that was searched last: parts of one share it. */
	const uint8_t *searched;
	uint64_t searched_n, searched_off, raw_secrets;
	uint8_t raw_sum[32];
	bool has_raw_sum;
};

/* --- row.c: columns of the record --- */

/* row_begin: an empty record of this shape. */
void row_begin(struct logs_ctx *c, enum logs_shape_row shape);
void row_text(struct logs_ctx *c, enum logs_column col, const void *p,
    size_t n);
void row_str(struct logs_ctx *c, enum logs_column col, const char *s);
void row_sub(struct logs_ctx *c, enum logs_column col, struct cursor s);
/* row_node: a scalar of the document; null, "" and "-" leave it unset. */
bool row_node(struct logs_ctx *c, enum logs_column col, uint32_t i);
bool row_get(struct logs_ctx *c, enum logs_column col, const char *path);
bool row_count(struct logs_ctx *c, enum logs_column col, const char *path);
/* row_first: the first of a list or the thing itself. */
bool row_first(struct logs_ctx *c, enum logs_column col, uint32_t i);
/* row_latency: a number of the document in units of ${us} microseconds. */
bool row_latency(struct logs_ctx *c, const char *path, double us);
void row_latency_us(struct logs_ctx *c, double us, const char *src);

/* --- rowtime.c: its times --- */
bool row_when(struct logs_ctx *c, const struct when *w, const char *src,
    const char *quality);
void row_end(struct logs_ctx *c, const struct when *w);
/* row_time: of the document, by path; false when absent or no time (told). */
bool row_time(struct logs_ctx *c, const char *path);
bool row_end_time(struct logs_ctx *c, const char *path);
/* row_ns: nanoseconds since 1970 as a number or a string. */
bool row_ns(struct logs_ctx *c, enum logs_column col, const char *path);
/* row_untimed: after the line before it (file order), or unknown. */
void row_untimed(struct logs_ctx *c);
/* row_mtime: the file's, because the log has none. */
void row_mtime(struct logs_ctx *c);

/* --- emit.c --- */
/* emit_raw: where the raw record stands, its digest, the secrets in it. */
void emit_raw(struct logs_ctx *c);
/* emit_row: the record is complete; 1 or negative. */
int emit_row(struct logs_ctx *c);
/* emit_row_with: the same, with secrets that were told before. */
int emit_row_with(struct logs_ctx *c, uint64_t secrets);
/* emit_out: to the caller, or only counted. */
int emit_out(struct logs_ctx *c, const struct field v[LOGS_COLUMNS],
    bool outside);

/* --- mask.c --- */
/* mask_raw: tell the secrets of the raw record. */
void mask_raw(struct logs_ctx *c);
/* mask_columns: contents become columns; secrets and contents are masked. */
void mask_columns(struct logs_ctx *c);
void mask_digest(struct logs_ctx *c, enum logs_column col, const void *p,
    size_t n);

/* --- pairs.c --- */
/* pairs_put: c->v waits for its other half, or meets it and goes out. */
int pairs_put(struct logs_ctx *c, bool outside);
/* pairs_flush: all that waits goes out. */
int pairs_flush(struct logs_ctx *c);
/*
 * Records in parts: pairs_hold keeps c->v under a key, pairs_held brings it
 * back; what does not fit goes through pairs_finish first.
 */
int pairs_hold(struct logs_ctx *c, const void *key, size_t n);
bool pairs_held(struct logs_ctx *c, const void *key, size_t n);
int pairs_held_flush(struct logs_ctx *c);
int triton_finish(struct logs_ctx *c);

/* --- tell.c: failures of the caller's function stop the file --- */
void tell(struct logs_ctx *c, enum logs_problem id, uint64_t off,
    uint64_t len, const char *what);
/* tell_once: of a file. */
void tell_once(struct logs_ctx *c, enum logs_problem id, const char *what);

/* --- payload.c, answer.c: what was asked and answered --- */

/* Of a node of ${d}, which is c->d or a payload that was parsed. */
void payload_request(struct logs_ctx *c, struct jdoc *d, uint32_t i);
void payload_response(struct logs_ctx *c, struct jdoc *d, uint32_t i);
/*
 * payload_bytes: a body that was decoded, of this content type (NULL: not
 * said), from the bytes of the file that ${at} names.
 */
void payload_bytes(struct logs_ctx *c, bool response, const uint8_t *p,
    size_t n, const char *type, size_t type_n,
    const struct logs_content_part *at);
/* payload_base64: a node that is base64; false when it is not (told). */
bool payload_base64(struct logs_ctx *c, bool response, uint32_t i,
    const char *type, size_t type_n);
/* payload_text: a content from text as it is. */
struct logs_content_part payload_part(const struct logs_ctx *c,
    const struct jdoc *d, uint32_t i, const char *type);
/* payload_messages: chat messages as lines "role: text"; false: none. */
bool payload_messages(struct logs_ctx *c, struct jdoc *d, uint32_t i,
    struct logs_content_part *ret);
void payload_dims(struct logs_ctx *c, struct jdoc *d, uint32_t i);
bool answer_object(struct logs_ctx *c, struct jdoc *d, uint32_t i);
void answer_scores(struct logs_ctx *c, struct jdoc *d, uint32_t i);
/* answer_named: {"cat": 0.9, "dog": 0.1}; false: it is no such object. */
bool answer_named(struct logs_ctx *c, struct jdoc *d, uint32_t i);
void answer_csv(struct logs_ctx *c, const uint8_t *p, size_t n);
/* v2proto: a protobuf of the V2 protocol; false: it is none. */
bool v2proto_payload(struct logs_ctx *c, bool response, const uint8_t *p,
    size_t n, const struct logs_content_part *at);

/* canon.c: numbers rounded, blanks folded; false: too long, no memory. */
bool canon_text(struct arena *a, const uint8_t *p, size_t n, const char *type,
    const uint8_t **ret, size_t *ret_n);

/* --- framing.c: files as records --- */
/* framing_next: the record before is done with: its arena is renewed. */
void framing_next(struct logs_ctx *c);
int framing_run(struct logs_ctx *c);
/* framing_object: c->d->v[obj] as one record; 1, or 0: no shape. */
int framing_object(struct logs_ctx *c, uint32_t obj);
/*
 * framing_part: node ${i} of the document is a record of its own: fill is
 * called with c->obj and the raw record set to it.
 */
int framing_part(struct logs_ctx *c, uint32_t i,
    int (*fill)(struct logs_ctx *c));
/* framing_text: a text line through the shapes; 1, or 0: no shape. */
int framing_text(struct logs_ctx *c, struct cursor line);

/* --- shapes with a framing of their own --- */
int httpdump_read(struct logs_ctx *c);
int kservecsv_read(struct logs_ctx *c);
int journal_read(struct logs_ctx *c);
bool httpdump_bid(const uint8_t *p, size_t n);
bool kservecsv_bid(const uint8_t *p, size_t n);
bool journal_bid(const uint8_t *p, size_t n);

/* Lines whose time has no year: for finding it. */
bool vllm_when(struct cursor line, struct when *ret);
bool tritonlog_when(struct cursor line, struct when *ret);

/* --- wrap.c: a line that stands in another record --- */
int wrap_line(struct logs_ctx *c, const uint8_t *p, size_t n, int64_t ns,
    const char *src);

/* --- textline.c: words of a line --- */

/* Up to the next blank; passes blanks first.  false at the end. */
bool textline_word(struct cursor *c, struct cursor *word);
/* What stands between two marks: [ ], " " (with \" within). */
bool textline_between(struct cursor *c, uint8_t open, uint8_t close,
    struct cursor *in);
bool textline_is(struct cursor c, const char *text);
bool textline_starts(struct cursor c, const char *text);
struct cursor textline_rest(const struct cursor *c);
/* "POST /path HTTP/1.1": op, path. */
/* textline_model: the model that a path names. */
void textline_model(struct logs_ctx *c);
bool textline_request(struct logs_ctx *c, struct cursor request);
/* address:port without its port. */
struct cursor textline_host(struct cursor c);

#define SHAPE_JSON(symbol) int symbol##_json(struct logs_ctx *c);
#define SHAPE_TEXT(symbol) \
	int symbol##_text(struct logs_ctx *c, struct cursor line);
#define SHAPE_FRAMED(symbol)
#define SHAPE(symbol, name, family, pairs) SHAPE_##family(symbol)
#include "formats/logs/shapes.def"
#undef SHAPE
#undef SHAPE_JSON
#undef SHAPE_TEXT
#undef SHAPE_FRAMED

#endif /* !FORMATS_LOGS_SHAPE_H_ */
