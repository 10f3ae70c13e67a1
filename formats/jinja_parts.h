#ifndef FORMATS_JINJA_PARTS_H_
#define FORMATS_JINJA_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/* Characters as python's \s and \d have them in ASCII. */
static inline bool
jinja_is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
jinja_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/*
 * The reader of Jinja templates, inside.  Private to jinja*.c.
 *
 *   jinja.c        the format, and jinja_check: two passes, anomalies
 *   jinja_text.c   folding, digests, hidden characters, shapes of text
 *   jinja_lex.c    tags and tokens (jinja2/lexer.py)
 *   jinja_expr.c   expressions (jinja2/parser.py), worked out as far as
 *                  constants and the origin of values are concerned
 *   jinja_atom.c   ... and what they are made of
 *   jinja_post.c   what stands behind a primary: attributes, calls, filters
 *   jinja_flow.c   where what they give comes from
 *   jinja_fold.c, jinja_seq.c, jinja_format.c   pure functions on constants
 *   jinja_cond.c   what a condition tests, and what it guards
 *   jinja_names.c  which names reach out of a template
 *   jinja_stmt.c   statements and blocks
 *   jinja_var.c    variables, and the markers that a template prints
 *
 * Method.  Nothing is rendered.  A template is walked twice from its first to
 * its last byte, without regard to which branch would be taken.  A value
 * (struct jval) is a constant where it can be computed, and says where it
 * comes from: the conversation, a message, its text, the clock.  The first
 * pass learns what variables and macro parameters can hold, so that a test in
 * a macro, or behind a flag that a later line sets, is understood in the
 * second, which tells.
 *
 * A condition that would be true because of a word in a message's text
 * (struct jtrig) is remembered for the branch that it opens and for what is
 * set there.  What a branch would print of its own (struct jlit) is added up.
 * Both together are the behavioural backdoor: text that the template's author
 * adds for some messages alone.  Words that the format itself writes
 * ("</think>", "[/INST]") are no triggers: templates cut texts at them.
 *
 * Bounds: JINJA_* below; whichever is reached is told as LIMIT once.
 */
#define JINJA_DEPTH 160		/* two for a bracket: Jinja takes 75 of them */
#define JINJA_NEST 128		/* open brackets whose kind is remembered */
#define JINJA_FRAMES 256	/* nested blocks: Python allows 20 loops */
#define JINJA_VARS 4096		/* variables: real templates have 50 */
#define JINJA_BUCKETS 1024	/* of variables, with chains of JINJA_PROBE */
#define JINJA_MARKS ((size_t)2048)	/* words that are written as markers */
#define JINJA_PROBE 32		/* look-ups of one name */
#define JINJA_ITEMS 65536	/* elements of constant lists, in all */
#define JINJA_STR ((size_t)65536)	/* bytes of one constant that is made */
#define JINJA_MADE (16u << 20)	/* bytes of all of them */
#define JINJA_ARGS 64		/* arguments of a call that are kept */
#define JINJA_PARAMS 16		/* parameters of a macro */
#define JINJA_TELL 32		/* anomalies of one kind in a template */
#define JINJA_PROSE 20		/* characters that are no framing */

enum jtok_type { JTOK_END, JTOK_NAME, JTOK_STR, JTOK_INT, JTOK_FLOAT,
	JTOK_OP, JTOK_BAD };

/* Operators of one character are themselves. */
enum jop { JOP_EQ = 256, JOP_NE, JOP_LE, JOP_GE, JOP_POW, JOP_FLOORDIV };

struct jtok {
	enum jtok_type type;
	const uint8_t *p;	/* a name; a string without its escapes */
	size_t n;
	uint64_t num;		/* an integer, at most INT64_MAX */
	unsigned op;
	size_t at;		/* place in the template */
	bool escaped;		/* the string had escapes */
};

/* Where a value comes from. */
enum jtaint {
	JT_MSGS = 1 << 0,	/* the conversation */
	JT_MSG = 1 << 1,	/* one message */
	JT_TEXT = 1 << 2,	/* what a message says */
	JT_ITEM = 1 << 3,	/* a part of a message that has parts */
	JT_PARTS = 1 << 4,	/* a list of texts */
	JT_SIZE = 1 << 5,	/* the length of a text */
	JT_TURNS = 1 << 6,	/* how many messages there are */
	JT_TIME = 1 << 7,
	JT_RANDOM = 1 << 8,
	JT_MACRO = 1 << 9,	/* a macro; called, it prints its lit */
};

/* Why a condition is true. */
struct jtrig {
	const char *kind;	/* "text", "length", "time", ... */
	const uint8_t *p;	/* the word, if it is one */
	size_t n;
	size_t at;
	bool marker;		/* a word of the format itself */
};

/* What a value or branch would print of its own. */
enum jlit_flags {
	JLIT_URL = 1 << 0,
	JLIT_BLOB = 1 << 1,	/* a run of base64 or hexadecimal digits */
	JLIT_COMMENT = 1 << 2,	/* an HTML comment */
	JLIT_HIDDEN = 1 << 3,	/* invisible characters */
};

struct jlit {
	size_t prose;		/* characters outside of markers */
	unsigned flags;
	const uint8_t *p;	/* the longest piece */
	size_t n;
	size_t at;
};

enum jkind { JV_UNKNOWN, JV_STR, JV_INT, JV_BOOL, JV_NONE, JV_LIST, JV_DICT };

struct jval {
	enum jkind kind;
	unsigned taint;		/* enum jtaint */
	const uint8_t *p;	/* JV_STR */
	size_t n;
	int64_t num;		/* JV_INT, JV_BOOL */
	struct jval *item;	/* JV_LIST; of JV_DICT key and value in turn */
	size_t count;
	size_t at;
	bool made;		/* computed, not written like this */
	bool address;		/* text that ends within an address */
	const uint8_t *name;	/* of a bare variable, or NULL */
	size_t name_len;
	const struct jtrig *pos, *neg;	/* why it is true, why it is false */
	struct jlit lit;
};

struct jvar {
	struct jvar *next;	/* in its bucket */
	const uint8_t *name;
	size_t n;
	struct jval v;		/* the last that was assigned */
	bool now;		/* ... in this pass */
	unsigned taint;		/* all that it ever had */
	const struct jtrig *pos, *neg;
	struct jlit lit;	/* of a macro */
	struct jvar *param[JINJA_PARAMS];
	unsigned params;
};

enum jframe_kind { JF_IF, JF_FOR, JF_MACRO, JF_SET, JF_OTHER };

struct jframe {
	enum jframe_kind kind;
	const struct jtrig *active;	/* of this and what is around it */
	const struct jtrig *trig;	/* of the branch that is open */
	const struct jtrig *rest;	/* of the branches behind it */
	struct jlit lit;		/* of the branch */
	const uint8_t *name;		/* JF_MACRO, JF_SET */
	size_t name_len;
	struct jval text;		/* JF_SET: what the block holds */
};

struct jinja {
	struct parse *p;
	const char *what;
	const uint8_t *t;
	size_t n;
	uint64_t off;
	bool telling;		/* the second pass */
	bool chat;		/* it speaks of messages */
	bool limit, syntax;	/* told */
	size_t syntax_at;
	int rc;			/* negative: the consumer's, or ours */
	unsigned told[ANOMALY_COUNT];
	size_t last[ANOMALY_COUNT];	/* place + 1 of the last one */
	size_t items, made;	/* what is left */
	struct jvar **vars;	/* JINJA_BUCKETS */
	size_t nvars;
	uint64_t *marks;	/* digests of markers, 2 * JINJA_MARKS */
	size_t nmarks;
	struct jargs *spare;	/* argument lists that nobody uses now */
	struct jframe *frame;
	unsigned frames, lost;	/* blocks beyond JINJA_FRAMES */
	/* the tag that is read */
	size_t pos;		/* of the next token */
	char end[2];		/* "}}" or "%}" */
	unsigned nest;		/* open brackets */
	uint8_t open[JINJA_NEST];	/* what closes each */
	bool bad;		/* it is not what the grammar says */
	unsigned depth;
	unsigned args;		/* depth in arguments of calls */
	bool prints;		/* the tag is a "{{" */
	bool address;		/* the text before it ends in an address */
	struct jtok tok;
};

/* jinja.c */
void jinja_tell(struct jinja *j, enum anomaly id, size_t at,
    const struct fact *facts, unsigned nfacts);
void jinja_limit(struct jinja *j);
void *jinja_alloc(struct jinja *j, size_t count, size_t size);

/* jinja_text.c */
struct jlit jinja_lit(const uint8_t *p, size_t n, size_t at);
void jinja_lit_add(struct jlit *to, const struct jlit *from);
/* Is it a word in brackets that a format may write: <|end|>, [/INST]? */
bool jinja_tag_shaped(const uint8_t *p, size_t n);
/* How long is the one that begins here?  0: none does. */
size_t jinja_tag_len(const uint8_t *p, size_t n);
/* A marker of its own, by name: </think>, <tool_call>, /no_think. */
bool jinja_known_marker(const uint8_t *p, size_t n);
/* Is its end within an address, so that what follows is a part of it? */
bool jinja_in_address(const uint8_t *p, size_t n);
uint64_t jinja_hash(const uint8_t *p, size_t n);
/*
 * Invisible characters: 0 none, 1 some, 2 such that reorder or carry text;
 * *at is the first one's place.  Joiners inside scripts that need them and
 * inside emoji are none.
 */
unsigned jinja_invisible(const uint8_t *p, size_t n, size_t *at,
    uint32_t *cp);

/* jinja_lex.c: the next token to j->tok; JTOK_END when the tag ends. */
void jlex_next(struct jinja *j);
bool jlex_is_op(const struct jinja *j, unsigned op);
bool jlex_is_name(const struct jinja *j, const char *name);
/* If the token is that, go on and be true. */
bool jlex_op(struct jinja *j, unsigned op);
bool jlex_name(struct jinja *j, const char *name);
/* To the tag's end, whatever stands there; false: it has none. */
bool jlex_rest(struct jinja *j);
bool jinja_word(const uint8_t *p, size_t n, const char *word);
/* Is it one of the words?  The list ends with NULL. */
bool jinja_one_of(const uint8_t *p, size_t n, const char *const *list);

/* jinja_expr.c */
struct jval jexpr(struct jinja *j);
struct jval jexpr_tuple(struct jinja *j);	/* a, b, c */
struct jval jexpr_noif(struct jinja *j);	/* "for x in ... if" */
struct jval jexpr_unary(struct jinja *j);
struct jval jexpr_primary(struct jinja *j);
struct jval jval_str(const uint8_t *p, size_t n, size_t at);
struct jval jval_unknown(size_t at, unsigned taint);
/* What is left of two values when nothing better is known. */
struct jval jval_merge(const struct jval *a, const struct jval *b);
void jexpr_bad(struct jinja *j);

/* jinja_post.c */
struct jargs {
	struct jargs *next;	/* of the spare ones */
	struct jval v[JINJA_ARGS];
	const uint8_t *key[JINJA_ARGS];	/* NULL: by place */
	size_t key_len[JINJA_ARGS];
	unsigned n;
	unsigned taint;		/* of all */
};
/* An empty list, or NULL (told); it is too large for a deep stack. */
struct jargs *jpost_take(struct jinja *j);
void jpost_give(struct jinja *j, struct jargs *a);
void jpost_args(struct jinja *j, struct jargs *a);
struct jval jpost(struct jinja *j, struct jval v);
struct jval jpost_filters(struct jinja *j, struct jval v);

/* jinja_flow.c: v.key and v[key]; v.name(a) and v|name(a) */
struct jval jflow_field(struct jinja *j, const struct jval *v,
    const struct jval *key);
struct jval jflow_derive(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v, const struct jargs *a);

/*
 * jinja_fold.c: false when the result is no constant (or none that is kept);
 * then *ret is not touched.
 */
bool jfold_concat(struct jinja *j, const struct jval *a, const struct jval *b,
    struct jval *ret);
bool jfold_repeat(struct jinja *j, const struct jval *a, int64_t times,
    struct jval *ret);
bool jfold_index(struct jinja *j, const struct jval *v,
    const struct jval *key, struct jval *ret);
bool jfold_slice(struct jinja *j, const struct jval *v,
    const struct jval at[3], struct jval *ret);
bool jfold_call(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v, const struct jargs *a, struct jval *ret);
/* jinja_format.c: '%s' % x, '%c'|format(95), '{}'.format(x) */
bool jfold_format(struct jinja *j, const struct jval *fmt,
    const struct jargs *a, struct jval *ret);
/* jinja_seq.c */
bool jseq_concat(struct jinja *j, const struct jval *a, const struct jval *b,
    struct jval *ret);
bool jseq_join(struct jinja *j, const struct jval *list,
    const struct jval *sep, struct jval *ret);
bool jseq_reverse(struct jinja *j, const struct jval *v, struct jval *ret);
bool jseq_list(struct jinja *j, const struct jval *v, struct jval *ret);
bool jseq_split(struct jinja *j, const struct jval *v, const struct jargs *a,
    struct jval *ret);
/* What they share: room for n bytes or NULL; *ret becomes that text. */
uint8_t *jfold_room(struct jinja *j, size_t n);
void jfold_made(struct jval *ret, const uint8_t *p, size_t n, size_t at);
bool jfold_ascii(const struct jval *v);
/* Text as it would be printed; numbers are spelled into ${tmp}. */
bool jfold_text(const struct jval *v, uint8_t tmp[24], const uint8_t **p,
    size_t *n);

/* jinja_cond.c */
void jcond_compare(struct jinja *j, const char *op, const struct jval *a,
    const struct jval *b, struct jval *ret);
void jcond_not(struct jval *v);
/* a test, filter or method by name with its arguments */
void jcond_named(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v, const struct jargs *a, struct jval *ret);
const struct jtrig *jcond_new(struct jinja *j, const char *kind,
    const struct jval *word, size_t at);
const struct jtrig *jcond_worse(const struct jtrig *a,
    const struct jtrig *b);
/* Both together are told, if they are what they must be. */
void jcond_guards(struct jinja *j, const struct jtrig *t,
    const struct jlit *lit);
/* What a message says becomes a part of an address. */
void jcond_leaks(struct jinja *j, const struct jval *v);

/* jinja_names.c: a name where it would be looked up. */
enum jname_use { JN_ATTR, JN_METHOD, JN_SUBSCRIPT, JN_FILTER, JN_PATH };
void jname_bare(struct jinja *j, const struct jtok *name, bool called,
    bool dotted);
void jname_used(struct jinja *j, const struct jval *name, enum jname_use use,
    const struct jval *on);
void jname_string(struct jinja *j, const struct jval *s, bool formatted);

/* jinja_stmt.c */
bool jstmt_tag(struct jinja *j);	/* behind "{%"; false: no end */
void jstmt_print(struct jinja *j, const struct jval *v);
void jstmt_finish(struct jinja *j);

/* jinja_var.c */
struct jval jvar_get(struct jinja *j, const uint8_t *name, size_t n,
    size_t at);
struct jvar *jvar_find(struct jinja *j, const uint8_t *name, size_t n,
    bool make);
void jvar_set(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *v);
/* ns.key = v */
void jvar_set_field(struct jinja *j, const uint8_t *name, size_t n,
    const struct jval *key, const struct jval *v);
/* The markers in a text that is printed; is this one of them? */
void jmark_text(struct jinja *j, const uint8_t *p, size_t n);
bool jmark_has(const struct jinja *j, const uint8_t *p, size_t n);

#endif /* !FORMATS_JINJA_PARTS_H_ */
