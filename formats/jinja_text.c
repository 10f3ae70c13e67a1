#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "formats/jinja.h"
#include "formats/jinja_parts.h"

/*
 * Text as text: what two copies of a template have in common, what of a text
 * is framing and what is prose, and what of it nobody sees.
 */
#define FNV_BASIS 14695981039346656037ULL
#define FNV_PRIME 1099511628211ULL
#define TAG_MAX 64		/* bytes of a marker */
#define ADDRESS_MAX 512		/* ... of an address that is looked at */

static bool
is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

const uint8_t *
jinja_fold(struct arena *a, const uint8_t *t, size_t n, size_t *len)
{
	uint8_t *ret = arena_alloc(a, n);
	size_t k = 0;

	if (ret == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!jinja_is_blank(t[i]))
			ret[k++] = t[i];
		else if (k > 0 && ret[k - 1] != ' ')
			ret[k++] = ' ';
	}
	if (k > 0 && ret[k - 1] == ' ')
		k--;
	*len = k;
	return ret;
}

uint64_t
jinja_digest(const uint8_t *t, size_t n)
{
	uint64_t h = FNV_BASIS;
	bool any = false, gap = false;

	for (size_t i = 0; i < n; i++) {
		if (jinja_is_blank(t[i])) {
			gap = any;
			continue;
		}
		if (gap)
			h = (h ^ ' ') * FNV_PRIME;
		h = (h ^ t[i]) * FNV_PRIME;
		any = true;
		gap = false;
	}
	return h;
}

uint64_t
jinja_hash(const uint8_t *p, size_t n)
{
	uint64_t h = FNV_BASIS;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * FNV_PRIME;
	return h | 1;
}

bool
jinja_is(const uint8_t *t, size_t n)
{
	const bool prints = n > 0 && memmem(t, n, "}}", 2) != NULL;
	const bool acts = n > 0 && memmem(t, n, "%}", 2) != NULL;
	const uint8_t *at = t, *end = t + n;

	if (!prints && !acts)
		return false;
	while ((at = memchr(at, '{', (size_t)(end - at))) != NULL) {
		size_t left = (size_t)(end - at), i = 2;

		if (left < 4)
			return false;
		while (i < left && (jinja_is_blank(at[i]) || at[i] == '-' ||
		    at[i] == '+'))
			i++;
		if (at[1] == '%' && acts && i < left && is_alpha(at[i]))
			return true;
		if (at[1] == '{' && prints && i < left && at[i] != '\0' &&
		    (is_alpha(at[i]) || strchr("_'\"([", at[i]) != NULL))
			return true;
		at += at[1] == '{' ? 1 : 2;
	}
	return false;
}

bool
jinja_tag_shaped(const uint8_t *p, size_t n)
{
	if (n < 3 || n > TAG_MAX || !((p[0] == '<' && p[n - 1] == '>') ||
	    (p[0] == '[' && p[n - 1] == ']')))
		return false;
	for (size_t i = 1; i + 1 < n; i++)
		if (jinja_is_blank(p[i]) || p[i] == '<' || p[i] == '[')
			return p[0] == '<' && p[1] == '<' && i == 1;
	return true;
}

static const char *const markers[] = {"think", "thinking", "thought",
    "thoughts", "reasoning", "answer", "tool", "tools", "tool_call",
    "tool_calls", "tool_response", "tool_responses", "tool_result",
    "tool_results", "tool_output", "tool_outputs", "tool_code", "function",
    "function_call", "function_calls", "function_results", "arg_key",
    "arg_value", "inst", "sys", "image", "images", "img", "image_pad",
    "image_url", "video", "video_pad", "audio", "vision_start",
    "vision_end", "im_start", "im_end", "im_sep", "eot_id", "eom_id",
    "start_header_id", "end_header_id", "begin_of_text", "end_of_text",
    "end_of_turn", "start_of_turn", "endoftext", "channel", "message",
    "start", "end", "call", "return", "analysis", "final", "s", "bos", "eos",
    "user", "assistant", "system", "observation", "response", "no_think",
    "nothink", "no_thinking", "system_override", "available_tools",
    "python_tag", "solution", "plugin", "box", "quad", "ref", "context",
    "documents", "document", "citations", NULL};

/* The word inside of a marker: letters, digits and '_' behind the frame. */
static bool
known_word(const uint8_t *p, size_t n)
{
	size_t from = 0, to = n;

	while (from < n && !is_alpha(p[from]) && p[from] != '_')
		from++;
	while (to > from && !is_alpha(p[to - 1]) && p[to - 1] != '_')
		to--;
	for (const char *const *m = markers; *m != NULL; m++)
		if (strlen(*m) == to - from &&
		    strncasecmp(*m, (const char *)p + from, to - from) == 0)
			return true;
	return false;
}

bool
jinja_known_marker(const uint8_t *p, size_t n)
{
	while (n > 0 && jinja_is_blank(p[0])) {
		p++;
		n--;
	}
	while (n > 0 && jinja_is_blank(p[n - 1]))
		n--;
	if (n < 3 || n > TAG_MAX)
		return false;
	/* "<tool_call", cut on purpose, and "/no_think" */
	return strchr("<[/", p[0]) != NULL && memchr(p, ' ', n) == NULL &&
	    known_word(p, n);
}

size_t
jinja_tag_len(const uint8_t *p, size_t n)
{
	const uint8_t close = p[0] == '<' ? '>' : ']';
	size_t i = 1;

	if (p[0] != '<' && p[0] != '[')
		return 0;
	while (i < n && i < TAG_MAX && p[i] != close && !jinja_is_blank(p[i]))
		i++;
	return i < n && i < TAG_MAX && p[i] == close && i > 1 ? i + 1 : 0;
}

static bool
starts(const uint8_t *p, size_t n, const char *word)
{
	size_t m = strlen(word);

	return n >= m && strncasecmp((const char *)p, word, m) == 0;
}

/* A run of digits of base64 or hexadecimal that no word and no path is. */
struct run {
	size_t n, hex, upper, lower, digit;
};

static bool
run_is_blob(const struct run *r)
{
	return (r->n >= 32 && r->hex == r->n && r->digit > 4) ||
	    (r->n >= 24 && r->upper > 2 && r->lower > 2 && r->digit > 1);
}

static void
run_add(struct run *r, uint8_t c)
{
	r->n++;
	r->digit += jinja_is_digit(c);
	r->upper += c >= 'A' && c <= 'Z';
	r->lower += c >= 'a' && c <= 'z';
	r->hex += jinja_is_digit(c) || (c >= 'a' && c <= 'f') ||
	    (c >= 'A' && c <= 'F');
}

struct jlit
jinja_lit(const uint8_t *p, size_t n, size_t at)
{
	struct jlit lit = {.p = p, .n = n, .at = at};
	struct run run = {0};
	size_t i = 0, tag;
	uint32_t cp;

	if (n > 0 && jinja_invisible(p, n, &tag, &cp) != 0)
		lit.flags |= JLIT_HIDDEN;
	while (i < n) {
		const uint8_t c = p[i];

		if (is_alpha(c) || jinja_is_digit(c) || c == '+' || c == '/' ||
		    c == '=') {
			run_add(&run, c);
		} else {
			if (run_is_blob(&run))
				lit.flags |= JLIT_BLOB;
			run = (struct run){0};
		}
		if (c == '<' && starts(p + i, n - i, "<!--"))
			lit.flags |= JLIT_COMMENT;
		if ((c == ':' && starts(p + i, n - i, "://")) ||
		    ((c == 'w' || c == 'W') && starts(p + i, n - i, "www.")))
			lit.flags |= JLIT_URL;
		if ((tag = jinja_tag_len(p + i, n - i)) > 0) {
			i += tag;
			continue;
		}
		/* A character, not its later bytes; blanks within prose. */
		lit.prose += (c & 0xc0) != 0x80 && (!jinja_is_blank(c) ||
		    (i > 0 && is_alpha(p[i - 1])));
		i++;
	}
	if (run_is_blob(&run))
		lit.flags |= JLIT_BLOB;
	return lit;
}

bool
jinja_in_address(const uint8_t *p, size_t n)
{
	size_t from = n;

	while (from > 0 && n - from < ADDRESS_MAX && !jinja_is_blank(p[from - 1]))
		from--;
	return n > from && memmem(p + from, n - from, "://", 3) != NULL;
}

void
jinja_lit_add(struct jlit *to, const struct jlit *from)
{
	if (from->prose + from->flags > 0 && (to->p == NULL ||
	    from->n > to->n)) {
		to->p = from->p;
		to->n = from->n;
		to->at = from->at;
	}
	to->prose += from->prose;
	to->flags |= from->flags;
}

static bool
is_zero_width(uint32_t cp)
{
	return (cp >= 0x200b && cp <= 0x200f) || cp == 0xfeff ||
	    (cp >= 0x2060 && cp <= 0x2064);
}

/* Characters that turn text around, or spell ASCII that nobody sees. */
static bool
is_carrier(uint32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069) || (cp >= 0xe0000 && cp <= 0xe007f);
}

/*
 * Persian and the scripts of India are written with joiners, emoji are put
 * together with them, and flags of regions are spelled in tag characters.
 */
static bool
is_expected(uint32_t cp, uint32_t before, bool flag)
{
	if (cp == 0x200c || cp == 0x200d)
		return before >= 0x590;
	if (cp == 0x200e || cp == 0x200f)
		return before >= 0x590 && before <= 0x8ff;
	return flag && cp >= 0xe0020 && cp <= 0xe007f;
}

#define CARRIER_RUN 16

unsigned
jinja_invisible(const uint8_t *p, size_t n, size_t *at, uint32_t *cp)
{
	uint32_t c, before = 0;
	unsigned found = 0, run = 0;
	bool flag = false;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		if (p[i] < 0x80) {
			before = p[i];
			len = 1;
			flag = false;
			run = 0;
			continue;
		}
		if ((len = text_utf8_len(p + i, n - i, &c)) == 0) {
			len = 1;
			c = 0xfffd;
		}
		flag = c == 0x1f3f4 || (flag && c >= 0xe0020 && c <= 0xe007f);
		if ((is_zero_width(c) || is_carrier(c)) &&
		    !is_expected(c, before, flag)) {
			if (found == 0) {
				*at = i;
				*cp = c;
			}
			found |= is_carrier(c) || ++run >= CARRIER_RUN ? 2 : 1;
		} else {
			run = 0;
			before = c;
		}
	}
	return found >= 2 ? 2 : found;
}
