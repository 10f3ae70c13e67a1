#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytesrc.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "formats/logs/logs.h"

/*
 * Records a second of the reader of logs on one thread, digests included:
 * logs FOLDER.  The first line of each sample, again and again; by CPU time,
 * the best of three rounds.
 */
#define RECORDS 100000

static struct digest *running;
static uint64_t records;

static int
record(void *ctx, const struct logs_record *r)
{
	(void)ctx;
	(void)r;
	records++;
	return 0;
}

static int
problem(void *ctx, const struct logs_told *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

static int
secret(void *ctx, const struct logs_secret *s)
{
	(void)ctx;
	(void)s;
	return 0;
}

static int
account(void *ctx, const struct logs_account *a)
{
	(void)ctx;
	(void)a;
	return 0;
}

static int
sha256(void *ctx, const void *p, size_t n, uint8_t out[32], struct err *e)
{
	struct digests d;

	(void)ctx;
	if (digest_reset(running, e) < 0 || digest_put(running, p, n, e) < 0 ||
	    digest_now(running, &d, e) < 0)
		return -1;
	memcpy(out, d.sha256, 32);
	return 0;
}

static double
once(const char *p, size_t n)
{
	const struct logs_events ev = {record, problem, secret, account,
	    sha256, NULL};
	const struct logs_params lp = {.ev = &ev};
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	const struct logs_file f = {.path = "a", .path_len = 1, .src = src,
	    .mtime_ns = INT64_C(1785628800000000000)};
	struct logs *l = logs_new(&lp, NULL);
	struct timespec a, b;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	if (l == NULL || logs_read(l, &f, NULL) < 0 || logs_end(l, NULL) < 0)
		abort();
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	logs_free(l);
	bytesrc_free(src);
	return (double)(b.tv_sec - a.tv_sec) +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void
one(const char *folder, const char *name)
{
	static char line[64 * KIB];
	char path[4096], *all;
	double best = 1e9, t;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "rb")) == NULL ||
	    fgets(line, sizeof(line), f) == NULL)
		abort();
	(void)fclose(f);
	n = strlen(line);
	if ((all = malloc(n * RECORDS)) == NULL)
		abort();
	for (size_t i = 0; i < RECORDS; i++)
		memcpy(all + i * n, line, n);
	for (unsigned round = 0; round < 3; round++) {
		records = 0;
		t = once(all, n * RECORDS);
		best = t < best ? t : best;
	}
	(void)printf("%-36s %8.0f records/s %7.1f MB/s\n", name,
	    (double)records / best, (double)(n * RECORDS) / best / 1e6);
	free(all);
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {"nginx_combined.log",
	    "nginx_access.json.log", "envoy_access.json.log",
	    "openai_compatible_proxy.jsonl", "litellm_standard_logging.jsonl",
	    "kserve_cloudevents_structured.jsonl",
	    "seldon_v1_request_logger.jsonl", "vllm_server.log",
	    "torchserve_access_log.log"};

	if (argc < 2 || digest_start(NULL) < 0 ||
	    (running = digest_new(DIGEST_SHA256, NULL)) == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		one(argv[1], names[i]);
	digest_free(running);
	return 0;
}
