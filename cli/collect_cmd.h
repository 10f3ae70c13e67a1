#ifndef CLI_COLLECT_CMD_H_
#define CLI_COLLECT_CMD_H_

#include <stdbool.h>
#include <stdint.h>

#include "cli/collect_args.h"
#include "cli/collect_plan.h"
#include "cli/elsewhere.h"
#include "cli/registry_url.h"
#include "cli/request.h"
#include "custody/case.h"

struct casedir;
struct intake;
struct slicer;
struct tsa_http;

/* Shared by cmd_collect.c and collect_resume.c, and by nobody else. */
struct collect_cmd {
	struct collect_args args;
	struct elsewhere elsewhere;
	struct collect_options options;
	struct collect_merge merge;
	const char *case_dir, *tsa_trust, *discover, *plan;
	struct casedir *dir;
	struct signer *signer;
	struct tsa_http *http;
	struct intake *intake;
	struct registry_url_options url_options;
	struct registry_url *url;
	struct slicer *slicer;
	struct collect_stamp stamp;
	char bag[CASE_BAG_MAX], file[CASE_BAG_MAX + 8];
	struct acquired result;
	const char *location;	/* the sealed file's path, or NULL */
	struct request request;
	uint8_t request_sha256[32];
	bool resume, sealed;	/* gone on with; sealed in a run before */
	int argc;
	char **argv;
};

extern const struct opt_usage collect_cmd_usage;
#define COLLECT_CMD_ROWS (COLLECT_ARGS_ROWS + ELSEWHERE_ROWS + 7)
size_t collect_cmd_rows(struct collect_cmd *c, struct opt *rows);
/* The directory and name for the file; -1 for a stream. */
int collect_cmd_place(struct collect_cmd *c, struct acquire_params *p,
    char **path, struct err *e);
/* From the options to the sealed file; an exit code. */
int collect_cmd_run(struct collect_cmd *c);

/*
 * collect_resume.c: go on with ${exhibit} (NULL: the only one that can be)
 * of c->case_dir; ${rows} are those of ${c}, which only says where to look
 * and what must not differ.  An exit code.
 */
int collect_resume(struct collect_cmd *c, const struct opt *rows,
    const char *exhibit);

#endif /* !CLI_COLLECT_CMD_H_ */
