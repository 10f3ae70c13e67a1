#include <string.h>

#include "analyzer/finding.h"
#include "base/bug.h"

static const struct finding_info infos[FINDING_COUNT] = {
#define FINDING(id, name, severity, verdict, title, advice, atlas, attack, \
    cwe, owasp) \
	[FINDING_##id] = {FINDING_##id, name, SEVERITY_##severity, \
	    VERDICT_##verdict, title, advice, atlas, attack, cwe, owasp},
#include "analyzer/findings.def"
#undef FINDING
};

/* Every anomaly has a finding of the same name, or this does not compile. */
static const enum finding_id of_anomaly[ANOMALY_COUNT] = {
#define ANOMALY(id, meaning) [ANOMALY_##id] = FINDING_##id,
#include "formats/anomalies.def"
#undef ANOMALY
};

static const char *const severities[SEVERITY_COUNT] = {
    "info", "low", "medium", "high", "critical"};
static const char *const verdicts[VERDICT_COUNT] = {
    "clean", "incomplete", "suspicious", "malicious"};
static const char *const confidences[CONFIDENCE_COUNT] = {
    "weak", "strong", "certain"};

const struct finding_info *
finding_info(enum finding_id id)
{
	BUG_ON((unsigned)id >= FINDING_COUNT);
	return &infos[id];
}

const struct finding_info *
finding_find(const char *name)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++)
		if (strcmp(infos[i].name, name) == 0)
			return &infos[i];
	return NULL;
}

enum finding_id
finding_of_anomaly(enum anomaly a)
{
	BUG_ON((unsigned)a >= ANOMALY_COUNT);
	return of_anomaly[a];
}

enum finding_id
finding_of_problem(enum reg_problem p)
{
	static const enum finding_id of[] = {
#define PROBLEM(id, meaning) FINDING_REG_##id,
#include "formats/reg/problems.def"
#undef PROBLEM
	};

	BUG_ON((unsigned)p >= REG_PROBLEMS);
	return of[p];
}

const char *
severity_name(enum severity s)
{
	BUG_ON((unsigned)s >= SEVERITY_COUNT);
	return severities[s];
}

const char *
verdict_name(enum verdict v)
{
	BUG_ON((unsigned)v >= VERDICT_COUNT);
	return verdicts[v];
}

const char *
confidence_name(enum confidence c)
{
	BUG_ON((unsigned)c >= CONFIDENCE_COUNT);
	return confidences[c];
}

bool
severity_parse(const char *s, enum severity *ret)
{
	for (unsigned i = 0; i < SEVERITY_COUNT; i++)
		if (strcmp(severities[i], s) == 0) {
			*ret = (enum severity)i;
			return true;
		}
	return false;
}

bool
finding_key_ok(const uint8_t *key, size_t n)
{
	if (n == 0 || n > 32 || key[0] < 'a' || key[0] > 'z')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!((key[i] >= 'a' && key[i] <= 'z') ||
		    (key[i] >= '0' && key[i] <= '9') || key[i] == '_'))
			return false;
	return true;
}

bool
finding_detail_literal(const struct detail *d)
{
	return strcmp(d->key, "arguments") == 0 ||
	    strcmp(d->key, "callee") == 0 || strcmp(d->key, "target") == 0 ||
	    strcmp(d->key, "names") == 0 || strcmp(d->key, "constants") == 0;
}
