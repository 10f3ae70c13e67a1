#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "formats/textnotes.h"

/*
 * Secrets are known by the forms that their issuers document: a prefix, then
 * so many characters of one alphabet, then none of it.  A prefix without its
 * length is a word like any other, so both are demanded.
 */
enum alphabet { UPPER_DIGIT, ALNUM, WORD, TOKEN };

static const struct form {
	const char *prefix, *what;
	enum alphabet alphabet;
	size_t least, most;	/* characters behind the prefix */
} forms[] = {{"AKIA", "aws-access-key", UPPER_DIGIT, 16, 16},
    {"ASIA", "aws-access-key", UPPER_DIGIT, 16, 16},
    {"ghp_", "github-token", ALNUM, 36, 36},
    {"gho_", "github-token", ALNUM, 36, 36},
    {"ghu_", "github-token", ALNUM, 36, 36},
    {"ghs_", "github-token", ALNUM, 36, 36},
    {"ghr_", "github-token", ALNUM, 36, 76},
    {"github_pat_", "github-token", WORD, 60, 100},
    {"glpat-", "gitlab-token", TOKEN, 20, 60},
    {"hf_", "huggingface-token", ALNUM, 30, 40},
    {"sk-", "openai-key", TOKEN, 32, 220},
    {"sk_live_", "stripe-key", ALNUM, 24, 120},
    {"xoxb-", "slack-token", TOKEN, 20, 250},
    {"xoxp-", "slack-token", TOKEN, 20, 250},
    {"xoxa-", "slack-token", TOKEN, 20, 250},
    {"xoxr-", "slack-token", TOKEN, 20, 250},
    {"xoxs-", "slack-token", TOKEN, 20, 250},
    {"AIza", "google-key", TOKEN, 35, 35},
    {"npm_", "npm-token", ALNUM, 36, 36},
    {"pypi-", "pypi-token", TOKEN, 80, 250}};

#define PASSWORD_MAX 128

/* Hosts of documentation, code and standards; what lies below them too. */
static const char *const hosts[] = {"huggingface.co", "hf.co", "github.com",
    "githubusercontent.com", "github.io", "gitlab.com", "bitbucket.org",
    "arxiv.org", "w3.org", "doi.org", "python.org", "pypi.org",
    "pythonhosted.org", "anaconda.org", "pytorch.org", "tensorflow.org",
    "keras.io", "onnx.ai", "onnxruntime.ai", "apache.org", "opensource.org",
    "creativecommons.org", "wikipedia.org", "wikimedia.org", "google.com",
    "ai.google.dev", "googleblog.com", "microsoft.com", "nvidia.com",
    "openai.com", "anthropic.com", "meta.com", "facebook.com", "fb.me",
    "mistral.ai", "stability.ai", "cohere.com", "ai21.com", "allenai.org",
    "eleuther.ai", "deepseek.com", "qwen.ai", "aliyun.com", "civitai.com",
    "kaggle.com", "paperswithcode.com", "readthedocs.io", "readthedocs.org",
    "scikit-learn.org", "numpy.org", "scipy.org", "mlflow.org",
    "sbert.net", "json-schema.org", "schema.org", "spdx.org", "gnu.org",
    "mozilla.org", "zenodo.org", "acm.org", "ieee.org", "springer.com",
    "nature.com", "aclanthology.org", "openreview.net", "modelscope.cn",
    "wandb.ai", "ollama.com", "ollama.ai", "ultralytics.com", "fast.ai",
    "nltk.org", "spacy.io", "explosion.ai", "stackoverflow.com",
    "stanford.edu", "mit.edu", "berkeley.edu", "example.com",
    "example.org", "example.net", "purl.org", "xmlsoap.org", "adobe.com",
    "iptc.org", "oasis-open.org", "linuxfoundation.org", "iso.org",
    "ietf.org", "discord.gg", "twitter.com", "youtube.com", NULL};

static const char *const key_words[] = {"password", "passwd", "passphrase",
    "secret", "secret_key", "secret_access_key", "client_secret", "api_key",
    "apikey", "access_token", "auth_token", "bearer_token", "private_key",
    NULL};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static char
lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool
in_alphabet(char c, enum alphabet a)
{
	if (a == UPPER_DIGIT)
		return is_digit(c) || is_upper(c);
	return is_alnum(c) || (a >= WORD && c == '_') ||
	    (a == TOKEN && c == '-');
}

static bool
starts(const char *p, size_t n, const char *word)
{
	size_t m = strlen(word);

	return n >= m && memcmp(p, word, m) == 0;
}

static void
show(struct textnote *t, const char *p, size_t n)
{
	if (n > sizeof(t->shown))
		n = sizeof(t->shown);
	memcpy(t->shown, p, n);
	t->shown_len = n;
}

/* The beginning of a secret, so that its owner knows which one it is. */
static void
mask(struct textnote *t, const char *p, size_t n)
{
	size_t keep = n / 3 < 12 ? n / 3 : 12;

	show(t, p, keep);
	memcpy(t->shown + keep, "...", 3);
	t->shown_len = keep + 3;
}

/* Letters and digits mixed, as only chance mixes them? */
static bool
is_random(const char *p, size_t n)
{
	unsigned digits = 0, uppers = 0, lowers = 0, kinds = 0;
	bool seen[256] = {false};

	for (size_t i = 0; i < n; i++) {
		digits += is_digit(p[i]);
		uppers += is_upper(p[i]);
		lowers += p[i] >= 'a' && p[i] <= 'z';
		kinds += !seen[(uint8_t)p[i]];
		seen[(uint8_t)p[i]] = true;
	}
	return digits > 0 && uppers + lowers > 0 && kinds >= 8 &&
	    kinds * 3 >= (n < 36 ? n : 36);
}

/* "header.payload.signature" in base64url, the first two of them JSON. */
static size_t
jwt_length(const char *p, size_t n)
{
	size_t at = 0, part;

	for (unsigned k = 0; k < 3; k++) {
		if (k < 2 && !starts(p + at, n - at, "eyJ"))
			return 0;
		for (part = 0; at + part < n && part < 65536 &&
		    in_alphabet(p[at + part], TOKEN); part++)
			;
		if (part < 10 || (k < 2 && (at + part == n ||
		    p[at + part] != '.')))
			return 0;
		at += part + (k < 2);
	}
	return at;
}

static size_t
private_key_length(const char *p, size_t n)
{
	static const char end[] = "PRIVATE KEY";
	size_t most = n < 64 ? n : 64;
	const char *q;

	if (!starts(p, n, "-----BEGIN "))
		return 0;
	q = memmem(p, most, end, sizeof(end) - 1);
	return q != NULL ? (size_t)(q - p) + sizeof(end) - 1 : 0;
}

/* A secret that begins at p, not within a word; false when none does. */
static bool
find_secret(const char *p, size_t n, struct textnote *t)
{
	size_t len;

	t->kind = TEXTNOTE_SECRET;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *f = &forms[i];
		size_t m = strlen(f->prefix);

		if (!starts(p, n, f->prefix))
			continue;
		for (len = m; len < n && len - m < f->most &&
		    in_alphabet(p[len], f->alphabet); len++)
			;
		if (len - m < f->least || (len < n && is_alnum(p[len])) ||
		    !is_random(p + m, len - m))
			continue;
		t->what = f->what;
		t->len = len;
		mask(t, p, len);
		return true;
	}
	if (*p == 'e' && (len = jwt_length(p, n)) > 0) {
		t->what = "json-web-token";
		t->len = len;
		mask(t, p, len);
		return true;
	}
	if (*p == '-' && (len = private_key_length(p, n)) > 0) {
		t->what = "private-key";
		t->len = n;	/* the armour alone is shown */
		show(t, p, len);
		return true;
	}
	return false;
}

/* "1.2.3.4" at p; its length, or 0.  *local: of this machine alone. */
static size_t
ipv4_length(const char *p, size_t n, bool *local)
{
	unsigned part[4], digits;
	size_t i = 0;

	for (unsigned k = 0; k < 4; k++) {
		if (k > 0 && (i == n || p[i++] != '.'))
			return 0;
		part[k] = 0;
		for (digits = 0; i < n && is_digit(p[i]) && digits < 4;
		    digits++)
			part[k] = part[k] * 10 + (unsigned)(p[i++] - '0');
		if (digits == 0 || digits > 3 || part[k] > 255)
			return 0;
	}
	if (i < n && (is_alnum(p[i]) || (p[i] == '.' && i + 1 < n &&
	    is_alnum(p[i + 1]))))
		return 0;
	*local = part[0] == 127 || part[0] == 0;
	return i;
}

static bool
find_socket(const char *p, size_t n, struct textnote *t)
{
	bool local = false;
	size_t ip = ipv4_length(p, n, &local), i;
	unsigned port = 0;

	if (ip == 0 || local || ip == n || p[ip] != ':')
		return false;
	for (i = ip + 1; i < n && is_digit(p[i]) && i < ip + 7; i++)
		port = port * 10 + (unsigned)(p[i] - '0');
	if (port == 0 || port > 65535 || (i < n && is_alnum(p[i])))
		return false;
	t->kind = TEXTNOTE_ADDRESS;
	t->what = "ip-and-port";
	t->len = i;
	show(t, p, i);
	return true;
}

static bool
host_is(const char *host, size_t n, const char *known)
{
	size_t m = strlen(known);

	if (n < m || (n > m && host[n - m - 1] != '.'))
		return false;
	for (size_t i = 0; i < m; i++)
		if (lower(host[n - m + i]) != known[i])
			return false;
	return true;
}

int
textnotes_host_known(const char *host, size_t n)
{
	for (const char *const *h = hosts; *h != NULL; h++)
		if (host_is(host, n, *h))
			return 1;
	return host_is(host, n, "localhost");
}

/* Where the authority of a URL ends. */
static size_t
authority_length(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && strchr("/?#\"'<>()[]{}|\\^`, \t\r\n", p[i]) == NULL &&
	    p[i] != '\0' && (uint8_t)p[i] < 0x80)
		i++;
	while (i > 0 && strchr(".:;!", p[i - 1]) != NULL)
		i--;
	return i;
}

/* "scheme://" is at p[0..colon+3): the scheme begins at p. */
static bool
find_url(const char *p, size_t n, size_t colon, struct textnote *t)
{
	const char *auth = p + colon + 3, *host = auth, *at, *port;
	size_t len = authority_length(auth, n - colon - 3), host_len;
	bool local = false, ip;

	t->len = colon + 3 + len;
	at = len > 0 ? memrchr(auth, '@', len) : NULL;
	if (at != NULL) {
		host = at + 1;
		if (memchr(auth, ':', (size_t)(at - auth)) != NULL) {
			t->kind = TEXTNOTE_SECRET;
			t->what = "url-with-password";
			mask(t, p, colon + 3 + (size_t)(at - auth));
			return true;
		}
	}
	host_len = len - (size_t)(host - auth);
	port = host_len > 0 ? memchr(host, ':', host_len) : NULL;
	if (port != NULL)
		host_len = (size_t)(port - host);
	ip = ipv4_length(host, host_len, &local) == host_len;
	if (host_len == 0 || local || (!ip &&
	    (textnotes_host_known(host, host_len) ||
	    memchr(host, '.', host_len) == NULL)))
		return false;
	t->kind = ip ? TEXTNOTE_ADDRESS : TEXTNOTE_URL;
	t->what = ip ? "url-with-ip" : "url";
	show(t, p, t->len);
	return true;
}

/* Does a scheme of the network begin at p?  The place of its colon, or 0. */
static size_t
scheme_colon(const char *p, size_t n)
{
	static const char *const schemes[] = {"https", "http", "ftp", "ftps",
	    "ws", "wss", "tcp", "ssh", "git+https", "git+http", "git+ssh",
	    "socks5", NULL};

	for (const char *const *s = schemes; *s != NULL; s++) {
		size_t m = strlen(*s);

		if (n > m + 3 && memcmp(p + m, "://", 3) == 0 &&
		    host_is(p, m, *s))
			return m;
	}
	return 0;
}

static bool
key_has_word(const char *key, size_t n)
{
	for (const char *const *w = key_words; *w != NULL; w++) {
		size_t m = strlen(*w), i = 0;

		if (n < m || (n > m && is_alnum(key[n - m - 1])))
			continue;
		while (i < m && lower(key[n - m + i]) == (*w)[i])
			i++;
		if (i == m)
			return true;
	}
	return false;
}

/* The value behind "password": one word that chance made. */
static bool
is_password(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] <= ' ' || (uint8_t)p[i] >= 0x7f ||
		    strchr("<>{}$*", p[i]) != NULL)
			return false;
	return n >= 10 && n <= PASSWORD_MAX && is_random(p, n);
}

/* "password=WORD" and "api_key: WORD" within a text, WORD at p[i]. */
static bool
find_password(const char *p, size_t i, size_t n, struct textnote *t)
{
	size_t key = i - 1, end = i;

	while (key > 0 && i - key < 40 && (is_alnum(p[key - 1]) ||
	    p[key - 1] == '_'))
		key--;
	if (!key_has_word(p + key, i - 1 - key))
		return false;
	while (end < n && end - i <= PASSWORD_MAX &&
	    strchr(" \t\r\n\"',;&", p[end]) == NULL && p[end] != '\0')
		end++;
	if (!is_password(p + i, end - i))
		return false;
	t->kind = TEXTNOTE_PASSWORD;
	t->what = "password";
	t->off = i;
	t->len = end - i;
	mask(t, p + i, t->len);
	return true;
}

/*
 * What begins at p[i]; t->off is i, unless it says otherwise.  Nothing begins
 * within a word, so no word is read twice: hyphens belong to it.
 */
static bool
find_at(const char *p, size_t i, size_t n, struct textnote *t)
{
	static const char beginnings[] = "AeghnpsxfwtHSFWTG-";
	size_t colon;

	t->off = i;
	if (i > 1 && p[i - 1] == '=' && find_password(p, i, n, t))
		return true;
	if (i > 0 && in_alphabet(p[i - 1], TOKEN))
		return false;
	if (is_digit(p[i]))
		return (i == 0 || p[i - 1] != '.') &&
		    find_socket(p + i, n - i, t);
	if (memchr(beginnings, p[i], sizeof(beginnings) - 1) == NULL)
		return false;
	colon = scheme_colon(p + i, n - i);
	if (colon > 0)
		return find_url(p + i, n - i, colon, t);
	return find_secret(p + i, n - i, t);
}

size_t
textnotes_find(const char *key, size_t key_len, const char *value, size_t n,
    struct textnote *ret, size_t max)
{
	size_t found = 0, i = 0;

	while (i < n && n - i >= 8 && found < max) {
		struct textnote *t = &ret[found];

		*t = (struct textnote){0};
		if (!find_at(value, i, n, t)) {
			i++;
			continue;
		}
		i = t->off + t->len;
		found++;
	}
	if (found == 0 && max > 0 && key_has_word(key, key_len) &&
	    is_password(value, n)) {
		ret[0] = (struct textnote){.kind = TEXTNOTE_PASSWORD,
		    .what = "password", .len = n};
		mask(&ret[0], value, n);
		found = 1;
	}
	return found;
}
