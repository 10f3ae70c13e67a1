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

static bool
ends(const struct text *t, size_t at, const char *s)
{
	const size_t n = strlen(s);

	return n <= at - t->floor && memcmp(t->p + at - n, s, n) == 0;
}

/* How many bytes of a token stand from ${at} on. */
static size_t
run(const struct text *t, size_t at, bool dots)
{
	size_t i = at;

	while (i < t->n && i - at < LONGEST &&
	    (token_byte(t->p[i]) || (dots && t->p[i] == '.')))
		i++;
	return i - at;
}

/* A token that begins with ${prefix}, whose last byte is the anchor at. */
static bool
prefixed(const struct text *t, size_t at, const char *prefix, size_t least,
    enum secrets_kind kind, struct secrets_hit *ret)
{
	const size_t n = strlen(prefix);
	size_t from, len;

	if (!ends(t, at + 1, prefix))
		return false;
	from = at + 1 - n;
	if (from > t->floor && token_byte(t->p[from - 1]) &&
	    !(from >= t->floor + 2 && t->p[from - 2] == '\\'))
		return false;
	len = run(t, at + 1, false);
	if (len < least)
		return false;
	*ret = (struct secrets_hit){kind, from, n + len};
	return true;
}

static bool
dash(const struct text *t, size_t at, struct secrets_hit *ret)
{
	static const char end[] = "PRIVATE KEY-----";
	size_t i;

	if (prefixed(t, at, "sk-", 16, SECRETS_SK, ret) ||
	    prefixed(t, at, "glpat-", 16, SECRETS_GITHUB, ret) ||
	    prefixed(t, at, "xoxb-", 10, SECRETS_SLACK, ret) ||
	    prefixed(t, at, "xoxp-", 10, SECRETS_SLACK, ret))
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
	return prefixed(t, at, "hf_", 16, SECRETS_HF, ret) ||
	    prefixed(t, at, "ghp_", 20, SECRETS_GITHUB, ret) ||
	    prefixed(t, at, "gho_", 20, SECRETS_GITHUB, ret) ||
	    prefixed(t, at, "ghs_", 20, SECRETS_GITHUB, ret) ||
	    prefixed(t, at, "github_pat_", 20, SECRETS_GITHUB, ret);
}

/* AKIA and ASIA have their I third, AIza second. */
static bool
capital_i(const struct text *t, size_t at, struct secrets_hit *ret)
{
	size_t from, len;

	if (at - t->floor >= 2 && (starts(t, at - 2, "AKIA") ||
	    starts(t, at - 2, "ASIA"))) {
		from = at - 2;
		for (len = 4; from + len < t->n &&
		    ((t->p[from + len] >= 'A' && t->p[from + len] <= 'Z') ||
		    (t->p[from + len] >= '0' && t->p[from + len] <= '9'));
		    len++)
			continue;
		*ret = (struct secrets_hit){SECRETS_AWS, from, len};
		return len == 20 && (from == t->floor ||
		    !alnum(t->p[from - 1]));
	}
	if (at - t->floor >= 1 && starts(t, at - 1, "AIza")) {
		len = run(t, at - 1, false);
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
	len = run(t, from, true);
	*ret = (struct secrets_hit){SECRETS_JWT, from, len};
	return len >= 30;
}

/* Of a name's last letters: is what stands behind it a secret? */
static bool
secret_name(const uint8_t *p, size_t n)
{
	static const char *const names[] = {"authorization", "api_key",
	    "apikey", "api-key", "access_token", "refresh_token", "id_token",
	    "auth_token", "session_token", "secret", "client_secret",
	    "secret_key", "secret_access_key", "password", "passwd",
	    "private_key", "cookie", "x-amz-signature", "sig", "hf_token"};
	size_t len;

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		len = strlen(names[k]);
		if (len > n)
			continue;
		for (size_t i = 0; i < len; i++) {
			const uint8_t c = p[n - len + i];

			if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) !=
			    (uint8_t)names[k][i]) {
				len = 0;
				break;
			}
		}
		/* The whole name, or its last word: x-api-key, OPENAI_API_KEY */
		if (len > 0 && (len == n || !alnum(p[n - len - 1])))
			return true;
	}
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

static bool
masked_already(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 2 < n; i++)
		if (p[i] == p[i + 1] && p[i] == p[i + 2] &&
		    (p[i] == '*' || p[i] == '.' || p[i] == 'X' || p[i] == 'x'))
			return true;
	/* Our own mask; a bracket before it is passed as that of a list. */
	return n >= 6 && memcmp(p, "masked", 6) == 0;
}

/* The value behind a name: past blanks, quotes and a scheme's word. */
static size_t
value_from(const struct text *t, size_t i, bool *quoted, bool *header)
{
	static const char *const schemes[] = {"Bearer ", "bearer ", "Basic ",
	    "basic ", "Token ", "token ", "ApiKey "};

	*quoted = false;
	while (i < t->n && (t->p[i] == ' ' || t->p[i] == '\t'))
		i++;
	if (i < t->n && t->p[i] == '[')
		i++;	/* a header's values as a list */
	if (i + 1 < t->n && t->p[i] == '\\' && t->p[i + 1] == '"')
		i++;
	if (i < t->n && (t->p[i] == '"' || t->p[i] == '\'')) {
		*quoted = true;
		i++;
	}
	*header = false;
	for (size_t k = 0; k < sizeof(schemes) / sizeof(schemes[0]); k++)
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
	if (end > t->floor && t->p[end - 1] == '\\')
		end--;
	for (from = end; from > t->floor && end - from < BACK &&
	    token_byte(t->p[from - 1]);)
		from--;
	if (end - from < 3 || !secret_name(t->p + from, end - from))
		return false;
	from = value_from(t, at + 1, &quoted, &header);
	stop = value_end(t, from, quoted);
	if (stop - from < SECRETS_LEAST || t->p[from] == '{' ||
	    t->p[from] == '[' || is_digest(t->p + from, stop - from) ||
	    masked_already(t->p + from, stop - from) ||
	    (!quoted && (starts(t, from, "false") || starts(t, from, "null") ||
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
	size_t i, colon = 0;

	if (!starts(t, at, "://"))
		return false;
	for (i = at + 3; i < t->n && i - at < 256; i++) {
		const uint8_t c = t->p[i];

		if (c == '@' && colon > 0 && i - colon > 1 &&
		    !masked_already(t->p + colon + 1, i - colon - 1)) {
			*ret = (struct secrets_hit){SECRETS_URL_PASSWORD,
			    colon + 1, i - colon - 1};
			return true;
		}
		if (c == '/' || c == '?' || c == '#' || c == '"' || c <= ' ')
			return false;
		if (c == ':' && colon == 0)
			colon = i;
	}
	return false;
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
