#ifndef CLI_REGISTRY_URL_H_
#define CLI_REGISTRY_URL_H_

#include "cli/fetch_http.h"
#include "cli/opt.h"

struct collect;
struct collect_options;
struct collect_source;
struct err;
struct registry_url;

/*
 * `--registry mlflow:URL`: MLflow's REST interface, every page of it, kept as
 * it came (docs/RECORDS.md):
 *
 *	/HOST:PORT/mlflow-rest/walk-1/ENDPOINT/0001.json    the body
 *	/HOST:PORT/mlflow-rest/walk-1/ENDPOINT/0001.headers
 *	/HOST:PORT/mlflow-rest/walk-1/ENDPOINT/0001.pem	    certificates of the
 *			server, where a connection began with this page
 *			(behind HOST:PORT the path of the URL, if it has one)
 *	.../walk-2/...					    all of it again
 *
 * The interface pages by offset, so what comes or goes meanwhile shifts all
 * that is behind it: everything is asked for twice, and pages that are not
 * the same are counted and said.  What it means is read later, from the copy
 * (formats/reg/mlflow_rest.c).
 */
struct registry_url_options {
	const char *ca_file;
	const char *header_file;	/* lines of header to send, or NULL */
};

/*
 * registry_url_start: the processes that fetch and read pages, when one of
 * the sources is a URL (else *ret is NULL); before a key is loaded.
 */
int registry_url_start(const struct registry_url_options *o,
    const struct collect_source *s, size_t n, struct registry_url **ret,
    struct err *e);
void registry_url_stop(struct registry_url *r);	/* NULL does nothing */

/* For collect_options.take_url, with url_ctx. */
int registry_url_take(struct collect *c, const struct collect_source *s);

#endif /* !CLI_REGISTRY_URL_H_ */
