#ifndef FORMATS_REG_OMS_H_
#define FORMATS_REG_OMS_H_

#include <stdbool.h>
#include <stddef.h>

#include "formats/reg/claim.h"

struct bytesrc;
struct doc;

/* One model.sig and the files that it lists.  Private to oms*.c. */
struct oms {
	struct reg_parse *p;
	const struct reg_file *sig;
	const struct doc *subject, *resources, *ignored;
	bool shards;
	bool legacy;		/* subjects are the files (before 0.3) */
	bool *listed;		/* of files [first, end) */
	size_t first, end;
};

/* oms_digest: 0 and *hex, 1 when it cannot be read (told), or negative. */
int oms_digest(struct oms *s, enum claim_hash h, const struct bytesrc *src,
    char hex[CLAIM_HEX]);
/* oms_resources: each resource against its file; 0 or negative. */
int oms_resources(struct oms *s);
/* oms_unsigned: files that none names, and code that is left out. */
int oms_unsigned(struct oms *s);

#endif /* !FORMATS_REG_OMS_H_ */
