#ifndef CLI_ELSEWHERE_H_
#define CLI_ELSEWHERE_H_

#include <stdbool.h>

#include "cli/collect_args.h"
#include "cli/opt.h"
#include "collector/acquire.h"

struct err;
struct json_write;
struct remote;
struct tar_in;

/*
 * `exhibit collect` of evidence that lies elsewhere: --ssh and --from-tar.
 *
 * Order: rows, check, prepare (before a key is loaded), begin (once the
 * exhibit has its number; it makes acquire take what comes), end.
 */
struct elsewhere {
	const char *ssh, *remote_collect, *program, *from_tar, *class;
	struct opt_list ssh_options;
	struct remote *remote;
	struct tar_in *tar;
};
#define ELSEWHERE_ROWS 6
size_t elsewhere_rows(struct elsewhere *x, struct opt *rows);
/* Is it wanted? */
bool elsewhere_wanted(const struct elsewhere *x);
/* NULL, or what is wrong; ${plan}: a plan or --discover is wanted too. */
const char *elsewhere_check(const struct elsewhere *x,
    const struct collect_args *a, bool plan);
/*
 * Instead of collect_args_options: nothing is looked up on this machine, and
 * sources are as they are written.
 */
int elsewhere_options(struct elsewhere *x, struct collect_args *a,
    struct collect_options *o, struct err *e);
int elsewhere_prepare(struct elsewhere *x, struct err *e);
int elsewhere_begin(struct elsewhere *x, const struct collect_args *a,
    struct acquire_params *p, struct err *e);
void elsewhere_end(struct elsewhere *x);
/* Its part of the ledger's request, behind "double_read". */
void elsewhere_request(const struct elsewhere *x, struct json_write *w);

#endif /* !CLI_ELSEWHERE_H_ */
