#ifndef FORMATS_TEXTNOTES_H_
#define FORMATS_TEXTNOTES_H_

#include <stddef.h>

/*
 * What a person wants to know of a string in metadata or configuration:
 * addresses that no documentation has, and secrets.  Notes, never verdicts:
 * an honest model may name its author's server, or leak his token.
 *
 * Pure, linear in the length of the value, and without memory of its own.
 */
enum textnote_kind {
	TEXTNOTE_URL,		/* whose host is none of documentation */
	TEXTNOTE_ADDRESS,	/* an IP address: in a URL, or with a port */
	TEXTNOTE_SECRET,	/* by its form: a key, a token */
	TEXTNOTE_PASSWORD,	/* by its name and its looks */
	TEXTNOTE_KINDS,
};

/*
 * shown: for URL and ADDRESS scheme, host and port (a path can be long, and
 * hold a secret); for SECRET and PASSWORD the beginning only, then "...":
 * never more than a third of it.
 */
#define TEXTNOTE_SHOWN 96

struct textnote {
	enum textnote_kind kind;
	const char *what;	/* "aws-access-key", "url", ... */
	size_t off, len;	/* within the value */
	char shown[TEXTNOTE_SHOWN];
	size_t shown_len;
};

/*
 * textnotes_find: the first ${max} notes of a value, in their order; returns
 * how many.  The key helps to know a password.
 */
size_t textnotes_find(const char *key, size_t key_len, const char *value,
    size_t n, struct textnote *ret, size_t max);

/* textnotes_host_known: is it, or does it lie below, a well-known host? */
int textnotes_host_known(const char *host, size_t n);

#endif /* !FORMATS_TEXTNOTES_H_ */
