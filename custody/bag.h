#ifndef CUSTODY_BAG_H_
#define CUSTODY_BAG_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * The names and fixed parts of an evidence bag (docs/FORMAT.md): what the
 * writer and the reader must agree on.  Read side.
 */
#define BAG_FORMAT "evidence-bag/1"
#define BAG_BAGIT "bagit.txt"
#define BAG_ACQUISITION "metadata/acquisition.json"
#define BAG_HOWTO "metadata/HOW-TO-VERIFY.txt"
#define BAG_FILES "metadata/files.jsonl"
#define BAG_ERRORS "metadata/errors.jsonl"
#define BAG_LOG "metadata/log.jsonl"
#define BAG_COMPLETION "metadata/completion.json"
#define BAG_PLAN "metadata/plan.yaml"	/* where a plan was followed */
#define BAG_TRANSPORT "metadata/transport.json"	/* taken from elsewhere */
#define BAG_PROCESSES "metadata/processes.jsonl"
#define BAG_PKI "metadata/pki/"		/* examiner.pem, tsa.pem, chain */
#define BAG_MANIFEST256 "manifest-sha256.txt"
#define BAG_MANIFEST512 "manifest-sha512.txt"
#define BAG_INFO "bag-info.txt"
#define BAG_BODY "body-end.txt"		/* last of an unsealed body */
#define BAG_CONTAINER "metadata/container.json"
#define BAG_SEAL "seal/seal.txt"
#define BAG_P7S "seal/seal.txt.p7s"
#define BAG_TSR "seal/seal.txt.p7s.tsr"
#define BAG_TAGMANIFEST256 "tagmanifest-sha256.txt"
#define BAG_TAGMANIFEST512 "tagmanifest-sha512.txt"
#define BAG_DATA "data/"
#define BAG_KEEP "data/.keep"

extern const char bag_bagit_txt[];	/* 54 bytes */
extern const char bag_howto_txt[];	/* what HOW-TO-VERIFY.txt says */

/* enum of classes: the folder below data/ and the flag of collect. */
enum bag_class {
	BAG_WEIGHTS,
	BAG_TRAINING,
	BAG_REGISTRY,
	BAG_API_LOGS,
	BAG_HOST,
	BAG_OTHER,
	BAG_CLASSES
};
const char *bag_class_name(enum bag_class c); /* "weights", "api-logs", .. */
/* bag_class_parse: false when no class has this name. */
bool bag_class_parse(const char *name, size_t n, enum bag_class *ret);
/* bag_member_class: of "data/<class>/..."; false when it is in none. */
bool bag_member_class(const char *member, size_t n, enum bag_class *ret);

/* bag_name_ok: [A-Za-z0-9._-]{1,64}, not "." or "..". */
bool bag_name_ok(const char *name, size_t n);

/*
 * bag_member_name(b, class, path, n, e): append the member name of an
 * absolute source path (docs/FORMAT.md): "data/<class>/" + path without its
 * leading "/", each byte outside [A-Za-z0-9._@+,-] as =HH, "." and ".."
 * components escaped, components over 255 bytes cut and hashed.  Injective.
 */
int bag_member_name(struct buf *b, enum bag_class c, const char *path,
    size_t n, struct err *e);

/*
 * bag_member_path(b, name, n): the source path that an escaped name stands
 * for (bytes; a cut component keeps its =~ form).  false when the name is
 * not one that bag_member_name could have written.
 */
bool bag_member_path(struct buf *b, const char *name, size_t n);

/* bag_member_ok: could this be a member's path inside a bag? */
bool bag_member_ok(const char *name, size_t n);

#endif /* !CUSTODY_BAG_H_ */
