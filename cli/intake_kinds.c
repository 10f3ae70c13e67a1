#include "analyzer/intake/git_worker.h"
#include "analyzer/intake/logs_worker.h"
#include "analyzer/intake/logwire.h"
#include "analyzer/intake/registry_worker.h"
#include "analyzer/intake/regwire.h"
#include "cli/intake_kinds.h"
#include "collector/intake.h"
#include "custody/bag.h"

#define MODELS (1U << BAG_WEIGHTS | 1U << BAG_REGISTRY | \
	1U << BAG_TRAINING | 1U << BAG_OTHER)

static const struct intake_kind kinds[] = {
    {"registry", MODELS, NULL, registry_worker_main, regwire_line},
    {"git", MODELS, "HEAD", git_worker_main, regwire_line},
    {"logs", 1U << BAG_API_LOGS, NULL, logs_worker_main, logwire_line}};

int
intake_kinds_start(struct intake **ret, struct err *e)
{
	return intake_start(kinds, sizeof(kinds) / sizeof(kinds[0]), ret, e);
}
