#include <openssl/err.h>

#include "base/err.h"
#include "custody/crypto_err.h"

int
crypto_err(struct err *e, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code != 0 ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return err_set(e, ERR_CRYPTO, "%s%s%s", what, why != NULL ? ": " : "",
	    why != NULL ? why : "");
}
