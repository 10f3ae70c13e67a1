#ifndef FORMATS_LOGS_SECRETS_H_
#define FORMATS_LOGS_SECRETS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Tokens, keys and passwords in a run of bytes: a raw record, or a text that
 * was decoded from one.
 *
 * By pattern (sk-..., hf_..., AKIA..., JWT, PEM, a password in an address),
 * and by name: the value behind api_key, password, Authorization and their
 * like, in JSON (also JSON within a JSON string), headers, queries and
 * assignments.  What is not a secret any more is not one here: values of
 * stars, of fewer than SECRETS_LEAST bytes, digests of 64 hex digits (LiteLLM
 * writes a key's SHA-256 as api_key), "Bearer" without more.
 *
 * It finds what looks like a secret, not whatever is one: a password in
 * prose, an unknown vendor's token, a secret in a picture pass unseen.
 */
#define SECRETS_LEAST 6

enum secrets_kind {
#define SECRET(id, name, meaning) SECRETS_##id,
#include "formats/logs/secrets.def"
#undef SECRET
	SECRETS_KINDS
};
const char *secrets_name(enum secrets_kind k);

struct secrets_hit {
	enum secrets_kind kind;
	size_t off, len;
};

/*
 * secrets_next: the first secret at or behind *at that begins there; true and
 * *ret, with *at behind it.  Hits come in ascending order and do not overlap.
 * Time is linear in n.
 */
bool secrets_next(const uint8_t *p, size_t n, size_t *at,
    struct secrets_hit *ret);

#endif /* !FORMATS_LOGS_SECRETS_H_ */
