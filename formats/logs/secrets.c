#include <string.h>

#include "formats/logs/secrets.h"

/*
 * Method.  One pass that stops at bytes which are rare in prose and stand
 * within or before each secret (an anchor: '-' of sk-, '_' of hf_, 'I' of
 * AKIA, '.' of a JWT, ':' and '=' behind a name); around an anchor a few
 * bytes decide.  How far a look backwards may go is bounded (BACK), so the
 * whole is linear; ${floor} is the end of the last hit, and nothing before it
 * is looked at again.
 */
#define BACK 48
#define NESTED 7		/* \\\" : JSON in JSON in a JSON string */
#define LONGEST 16384		/* a PEM key of 16 kbit has 13 KiB */

struct text {
	const uint8_t *p;
	size_t n;
	size_t floor;
};

const char *
secrets_name(enum secrets_kind k)
{
	static const char *const name[] = {
#define SECRET(id, name, meaning) name,
#include "formats/logs/secrets.def"
#undef SECRET
	};

	return k < SECRETS_KINDS ? name[k] : "unknown";
}

static bool
alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' &&
	    (c | 0x20) <= 'z');
}

static bool
token_byte(uint8_t c)
{
	return alnum(c) || c == '-' || c == '_';
}

static bool
starts(const struct text *t, size_t at, const char *s)
{
	const size_t n = strlen(s);

	return at <= t->n && n <= t->n - at && memcmp(t->p + at, s, n) == 0;
}

/* How many bytes of a token stand from ${at} on, ${most} at the most. */
static size_t
run(const struct text *t, size_t at, bool dots, size_t most)
{
	size_t i = at;

	while (i < t->n && i - at < most &&
	    (token_byte(t->p[i]) || (dots && t->p[i] == '.')))
		i++;
	return i - at;
}

/* A token's beginning, whose last byte is the anchor; what must follow. */
struct prefix {
	const char *text;
	uint8_t n, least;
	enum secrets_kind kind;
};
#define PREFIX(text, least, kind) \
	{text, sizeof(text) - 1, least, SECRETS_##kind}

static bool
prefixed(const struct text *t, size_t at, const struct prefix *x,
    struct secrets_hit *ret)
{
	size_t from, len;

	if (at - t->floor < x->n - 1U ||
	    memcmp(t->p + at + 1 - x->n, x->text, x->n) != 0)
		return false;
	from = at + 1 - x->n;
	if (from > t->floor && token_byte(t->p[from - 1]) &&
	    !(from >= t->floor + 2 && t->p[from - 2] == '\\'))
		return false;
	len = run(t, at + 1, false, LONGEST);
	if (len < x->least)
		return false;
	*ret = (struct secrets_hit){x->kind, from, x->n + len};
	return true;
}

static bool
any_prefix(const struct text *t, size_t at, const struct prefix *x, size_t n,
    struct secrets_hit *ret)
{
	for (size_t i = 0; at > t->floor && i < n; i++)
		if (t->p[at - 1] == (uint8_t)x[i].text[x[i].n - 2] &&
		    prefixed(t, at, &x[i], ret))
			return true;
	return false;
}

static bool
dash(const struct text *t, size_t at, struct secrets_hit *ret)
{
	static const struct prefix known[] = {PREFIX("sk-", 16, SK),
	    PREFIX("glpat-", 16, GITHUB), PREFIX("xoxb-", 10, SLACK),
	    PREFIX("xoxp-", 10, SLACK)};
	static const char end[] = "PRIVATE KEY-----";
	size_t i;

	if (any_prefix(t, at, known, sizeof(known) / sizeof(known[0]), ret))
		return true;
	if (!starts(t, at, "-----BEGIN "))
		return false;
	/* The word in front of PRIVATE KEY is at most "ENCRYPTED ". */
	for (i = at + 11; i < t->n && i < at + 11 + 12; i++)
		if (starts(t, i, end))
			break;
	if (!starts(t, i, end))
		return false;
	for (i += sizeof(end) - 1; i < t->n && i - at < LONGEST; i++)
		if (t->p[i] == '-' && starts(t, i, "-----END ")) {
			for (i += 9; i < t->n && t->p[i] != '-'; i++)
				continue;
			while (i < t->n && t->p[i] == '-')
				i++;
			break;
		}
	*ret = (struct secrets_hit){SECRETS_PEM, at, i - at};
	return true;
}

static bool
underscore(const struct text *t, size_t at, struct secrets_hit *ret)
{
	static const struct prefix known[] = {PREFIX("hf_", 16, HF),
	    PREFIX("ghp_", 20, GITHUB), PREFIX("gho_", 20, GITHUB),
	    PREFIX("ghs_", 20, GITHUB), PREFIX("github_pat_", 20, GITHUB)};

	return any_prefix(t, at, known, sizeof(known) / sizeof(known[0]), ret);
}

/* AKIA and ASIA have their I third, AIza second. */
static bool
capital_i(const struct text *t, size_t at, struct secrets_hit *ret)
{
	size_t from, len;

	if (at - t->floor >= 2 && (starts(t, at - 2, "AKIA") ||
	    starts(t, at - 2, "ASIA"))) {
		from = at - 2;
		for (len = 4; len <= 20 && from + len < t->n &&
		    ((t->p[from + len] >= 'A' && t->p[from + len] <= 'Z') ||
		    (t->p[from + len] >= '0' && t->p[from + len] <= '9'));
		    len++)
			continue;
		*ret = (struct secrets_hit){SECRETS_AWS, from, len};
		return len == 20 && (from == t->floor ||
		    !alnum(t->p[from - 1]));
	}
	if (at - t->floor >= 1 && starts(t, at - 1, "AIza")) {
		len = run(t, at - 1, false, 40);
		*ret = (struct secrets_hit){SECRETS_GOOGLE, at - 1, len};
		return len == 39;
	}
	return false;
}

/* "eyJ" begins both parts of a JWT: the anchor is the point before one. */
static bool
point(const struct text *t, size_t at, struct secrets_hit *ret)
{
	size_t from = at, len;

	if (!starts(t, at + 1, "eyJ"))
		return false;
	while (from > t->floor && at - from < 4096 && token_byte(t->p[from - 1]))
		from--;
	if (!starts(t, from, "eyJ"))
		return false;
	len = run(t, from, true, LONGEST);
	*ret = (struct secrets_hit){SECRETS_JWT, from, len};
	return len >= 30;
}

/*
 * Is p[0..n) a name whose value is a secret, or does it end with one as its
 * last words: x-api-key, OPENAI_API_KEY, clientSecret?  Compared backwards,
 * letters alone: '-', '_' and case tell no name from another.
 */
static bool
ends_with(const uint8_t *p, size_t n, const char *name, size_t len)
{
	size_t i = n;
	uint8_t c = 0;

	while (len > 0) {
		while (i > 0 && (p[i - 1] == '-' || p[i - 1] == '_'))
			i--;
		if (i == 0)
			return false;
		c = p[--i];
		if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) !=
		    (uint8_t)name[--len])
			return false;
	}
	/* A word begins here: at a mark, or with a capital behind a small. */
	return i == 0 || !alnum(p[i - 1]) || (c >= 'A' && c <= 'Z' &&
	    p[i - 1] >= 'a' && p[i - 1] <= 'z');
}

/* Of any of the names below. */
static bool
last_letter(int c)
{
	return c == 'n' || c == 'y' || c == 't' || c == 'd' || c == 'e' ||
	    c == 'g';
}

static bool
secret_name(const uint8_t *p, size_t n)
{
#define NAME(text) {text, sizeof(text) - 1}
	static const struct {
		const char *text;
		size_t n;
	} names[] = {NAME("authorization"), NAME("apikey"),
	    NAME("accesstoken"), NAME("refreshtoken"), NAME("idtoken"),
	    NAME("authtoken"), NAME("sessiontoken"), NAME("hftoken"),
	    NAME("secret"), NAME("secretkey"), NAME("secretaccesskey"),
	    NAME("privatekey"), NAME("password"), NAME("passwd"),
	    NAME("cookie"), NAME("xamzsignature"), NAME("sig")};
#undef NAME
	const uint8_t last = p[n - 1] | 0x20;

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		if ((uint8_t)names[k].text[names[k].n - 1] == last &&
		    ends_with(p, n, names[k].text, names[k].n))
			return true;
	return false;
}

static bool
is_digest(const uint8_t *p, size_t n)
{
	if (n != 64)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((p[i] >= '0' && p[i] <= '9') ||
		    (p[i] >= 'a' && p[i] <= 'f')))
			return false;
	return true;
}

/*
 * Stars or points that stand for more, a value that is x for the most part,
 * or our own mask.
 */
static bool
masked_already(const uint8_t *p, size_t n)
{
	size_t crossed = 0;

	if (n > 0 && p[0] == '[') {
		p++;
		n--;
	}
	for (size_t i = 0; i < n; i++) {
		if (i + 2 < n && p[i] == p[i + 1] && p[i] == p[i + 2] &&
		    (p[i] == '*' || p[i] == '.'))
			return true;
		crossed += (p[i] | 0x20) == 'x' ? 1 : 0;
	}
	return (crossed > 2 && crossed >= n / 2) || (n >= 6 &&
	    memcmp(p, "masked", 6) == 0 &&
	    (n == 6 || p[6] == ' ' || p[6] == ']'));
}

/* The value behind a name: past blanks, quotes and a scheme's word. */
static size_t
value_from(const struct text *t, size_t i, bool *quoted, bool *header)
{
	static const char *const schemes[] = {"Bearer ", "bearer ", "Basic ",
	    "basic ", "Token ", "token ", "ApiKey "};

	size_t k;

	*quoted = false;
	while (i < t->n && (t->p[i] == ' ' || t->p[i] == '\t'))
		i++;
	if (i < t->n && t->p[i] == '[')
		/* A header's values as a list, perhaps over lines. */
		for (i++; i < t->n && (t->p[i] == ' ' || t->p[i] == '\t' ||
		    t->p[i] == '\r' || t->p[i] == '\n');)
			i++;
	for (k = i; k < t->n && k - i < NESTED && t->p[k] == '\\';)
		k++;
	if (k < t->n && t->p[k] == '"')
		i = k;
	if (i < t->n && (t->p[i] == '"' || t->p[i] == '\'')) {
		*quoted = true;
		i++;
	}
	*header = false;
	for (k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++)
		if (starts(t, i, schemes[k])) {
			i += strlen(schemes[k]);
			*header = true;
			break;
		}
	return i;
}

static size_t
value_end(const struct text *t, size_t from, bool quoted)
{
	size_t i = from;

	for (; i < t->n && i - from < LONGEST; i++) {
		const uint8_t c = t->p[i];

		if (c == '"' || c == '\'' || c == '\\' || c < 0x20)
			break;
		if (!quoted && (c == ' ' || c == ',' || c == '&' || c == ';' ||
		    c == '}' || c == ')' || c == ']'))
			break;
	}
	return i;
}

/* Is this ':' or '=' behind a name whose value is a secret? */
static bool
named(const struct text *t, size_t at, struct secrets_hit *ret)
{
	size_t end = at, from, stop;
	bool quoted, header;

	while (end > t->floor && at - end < 3 && t->p[end - 1] == ' ')
		end--;
	if (end > t->floor && (t->p[end - 1] == '"' || t->p[end - 1] == '\''))
		end--;
	for (size_t deep = 0; deep < NESTED && end > t->floor &&
	    t->p[end - 1] == '\\'; deep++)
		end--;
	if (end == t->floor || !last_letter(t->p[end - 1] | 0x20))
		return false;
	for (from = end; from > t->floor && end - from < BACK &&
	    token_byte(t->p[from - 1]);)
		from--;
	if (end - from < 3 || !secret_name(t->p + from, end - from))
		return false;
	from = value_from(t, at + 1, &quoted, &header);
	stop = value_end(t, from, quoted);
	if (stop - from < SECRETS_LEAST ||
	    is_digest(t->p + from, stop - from) ||
	    masked_already(t->p + from, stop - from) ||
	    (!quoted && (t->p[from] == '{' || t->p[from] == '[' ||
	    starts(t, from, "false") || starts(t, from, "null") ||
	    starts(t, from, "None") || starts(t, from, "true"))))
		return false;
	*ret = (struct secrets_hit){header ? SECRETS_AUTHORIZATION :
	    SECRETS_KEY_VALUE, from, stop - from};
	return true;
}

/* scheme://user:PASSWORD@host: the anchor is the ':' of "://". */
static bool
address(const struct text *t, size_t at, struct secrets_hit *ret)
{
	size_t i, colon = 0, end = 0;

	if (!starts(t, at, "://"))
		return false;
	for (i = at + 3; i < t->n && i - at < 256; i++) {
		const uint8_t c = t->p[i];

		if (c == '/' || c == '?' || c == '#' || c == '"' || c <= ' ')
			break;
		if (c == ':' && colon == 0)
			colon = i;
		/* A password may hold '@': the host stands behind the last. */
		if (c == '@' && colon > 0)
			end = i;
	}
	if (end == 0 || end - colon < 2 ||
	    masked_already(t->p + colon + 1, end - colon - 1))
		return false;
	*ret = (struct secrets_hit){SECRETS_URL_PASSWORD, colon + 1,
	    end - colon - 1};
	return true;
}

bool
secrets_next(const uint8_t *p, size_t n, size_t *at, struct secrets_hit *ret)
{
	const struct text t = {p, n, *at};
	bool hit = false;

	for (size_t i = *at; i < n && !hit; i++) {
		switch (p[i]) {
		case '-':
			hit = dash(&t, i, ret);
			break;
		case '_':
			hit = underscore(&t, i, ret);
			break;
		case 'I':
			hit = capital_i(&t, i, ret);
			break;
		case '.':
			hit = point(&t, i, ret);
			break;
		case ':':
			hit = address(&t, i, ret) || named(&t, i, ret);
			break;
		case '=':
			hit = named(&t, i, ret);
			break;
		default:
			break;
		}
	}
	if (hit)
		*at = ret->off + ret->len;
	return hit;
}
