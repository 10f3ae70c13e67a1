#ifndef ANALYZER_FINDING_H_
#define ANALYZER_FINDING_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"
#include "formats/reg/reg.h"

/*
 * Findings: facts about the evidence, each by a row of findings.def.
 *
 * One row gives the enum, the public id (never reused), the severity, what
 * it does to an object's verdict, title, advice and references.  What is
 * found in evidence never softens a finding.
 */
enum severity {
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
	SEVERITY_COUNT
};

/*
 * What an object is judged to be; a larger value is worse, and a container
 * takes the worst of what it holds.  Whether it was examined completely is
 * said beside it (struct object, complete), so neither hides the other.
 */
enum verdict {
	VERDICT_CLEAN,
	VERDICT_INCOMPLETE,
	VERDICT_SUSPICIOUS,
	VERDICT_MALICIOUS,
	VERDICT_COUNT
};

enum confidence {
	CONFIDENCE_WEAK,
	CONFIDENCE_STRONG,
	CONFIDENCE_CERTAIN,
	CONFIDENCE_COUNT
};

enum finding_id {
#define FINDING(id, name, severity, verdict, title, advice, atlas, attack, \
    cwe, owasp) \
	FINDING_##id,
#include "analyzer/findings.def"
#undef FINDING
	FINDING_COUNT
};

struct finding_info {
	enum finding_id id;
	const char *name;	/* "PKL-CALL-DANGEROUS" */
	enum severity severity;
	enum verdict verdict;
	const char *title;
	const char *advice;	/* what an analyst does next */
	const char *atlas;	/* comma-separated ids, "" for none */
	const char *attack;
	const char *cwe;
	const char *owasp;	/* OWASP ML Security Top Ten */
};

const struct finding_info *finding_info(enum finding_id id);
/* finding_find: by public name; NULL when there is no such row. */
const struct finding_info *finding_find(const char *name);
/* finding_of_anomaly: the row that a format's anomaly becomes. */
enum finding_id finding_of_anomaly(enum anomaly a);
/* finding_of_problem: the row that a registry's problem becomes. */
enum finding_id finding_of_problem(enum reg_problem p);

const char *severity_name(enum severity s);
const char *verdict_name(enum verdict v);
const char *confidence_name(enum confidence c);
/* severity_parse: "high" and so on; false for anything else. */
bool severity_parse(const char *s, enum severity *ret);

/* A piece of evidence in a finding: text is raw bytes from evidence. */
struct detail {
	const char *key;	/* of DETAIL_KEYS, or a fact's key */
	const uint8_t *text;	/* NULL: a number */
	size_t len;
	uint64_t num;
};
#define FINDING_DETAILS 12

/* finding_key_ok: [a-z][a-z0-9_]{0,31}. */
bool finding_key_ok(const uint8_t *key, size_t n);

struct finding {
	enum finding_id id;
	enum severity severity;	/* of the row, or the policy's */
	enum confidence confidence;
	uint64_t off, len;	/* within the last element of the path */
	struct detail details[FINDING_DETAILS];
	unsigned ndetails;
};

/*
 * finding_detail_literal: was this text escaped by whom it comes from (a
 * rendered call)?  Its backslashes begin escapes then.
 */
bool finding_detail_literal(const struct detail *d);

#endif /* !ANALYZER_FINDING_H_ */
