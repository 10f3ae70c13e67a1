#ifndef FORMATS_REG_OCI_H_
#define FORMATS_REG_OCI_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/reg/claim.h"

struct doc;

/*
 * Content-addressed stores of model artifacts (OCI image-spec).  Private to
 * oci*.c.
 */
struct oci_blob {
	const struct reg_file *f;
	enum claim_hash hash;
	const char *digest;	/* hex, of its name */
	bool known;		/* hex is of its bytes */
	bool named;		/* a manifest speaks of it */
	char hex[CLAIM_HEX];
};

struct oci {
	struct reg_parse *p;
	struct oci_blob *blob;	/* by digest */
	size_t blobs;
	unsigned left;		/* manifests that may still be read */
};

/* What a manifest belongs to. */
struct oci_name {
	const char *model;
	size_t model_len;
	const char *version;
	size_t version_len;
};

/* oci_blob: "sha256:<hex>" as the blob that is there, or NULL. */
struct oci_blob *oci_blob(struct oci *k, const char *digest, size_t n);

/*
 * oci_descriptor: a descriptor (mediaType, digest, size) against its blob;
 * what a manifest or an index holds is gone into.  ${by} says so.  0 or
 * negative.
 */
int oci_descriptor(struct oci *k, const struct reg_file *by,
    const struct doc *d, const struct oci_name *name, unsigned depth);
/* oci_manifest: the document of a manifest or an index. */
int oci_manifest(struct oci *k, const struct reg_file *by,
    const struct doc *d, const struct oci_name *name, unsigned depth);

#endif /* !FORMATS_REG_OCI_H_ */
