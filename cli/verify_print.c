#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "cli/rows.h"
#include "cli/verify_print.h"
#include "custody/verify.h"

static const char *
conclusion(const struct verify_result *r)
{
	switch (verify_exit(r)) {
	case 0:
		return "VERIFIED: every statement holds";
	case 3:
		return "NOT VERIFIED: a statement fails";
	default:
		return "INCOMPLETE: nothing fails, but not everything was "
		       "checked";
	}
}

static void
put_path(struct buf *b, const char *path)
{
	text_put(b, path, strlen(path), TEXT_PATH);
}

static void
print_text(struct buf *b, const char *path, const struct verify_result *r,
    bool quiet)
{
	char when[CLOCK_TEXT];

	for (unsigned i = 0; i < VERIFY_STATEMENTS && !quiet; i++) {
		buf_printf(b, "%-11s  %-11s",
		    verify_outcome_name(r->st[i].outcome),
		    verify_statement_name((enum verify_statement)i));
		if (r->st[i].reason[0] != '\0')
			buf_printf(b, "  %s", r->st[i].reason);
		buf_putc(b, '\n');
	}
	if (!quiet && r->has_sha256) {
		buf_puts(b, "sha256       ");
		buf_hex(b, r->sha256, 32);
		buf_printf(b, "\nmembers      %llu\n",
		    (unsigned long long)r->members);
	}
	if (!quiet && r->signer[0] != '\0')
		buf_printf(b, "signed by    %s\n", r->signer);
	if (!quiet && r->gen_time >= 0)
		buf_printf(b, "existed at   %s, says %s%s\n",
		    clock_rfc3339(when, r->gen_time * 1000000000, 0), r->tsa,
		    r->local_tsa ? " (local: proves nothing against the "
		    "sealing machine's own root)" : "");
	put_path(b, path);
	buf_printf(b, ": %s\n", conclusion(r));
}

static void
statement_row(struct buf *b, const char *path, const struct verify_result *r,
    unsigned i, struct rows *rows)
{
	struct json_write w;

	rows_open(rows, b);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "statement");
	json_kstr(&w, "name", verify_statement_name(
	    (enum verify_statement)i));
	json_kstr(&w, "result", verify_outcome_name(r->st[i].outcome));
	if (r->st[i].reason[0] != '\0')
		json_kstr(&w, "reason", r->st[i].reason);
	else
		json_knull(&w, "reason");
	json_key(&w, "path");
	json_text(&w, path, strlen(path), TEXT_PATH);
	json_end_object(&w);
	rows_close(rows, b);
}

static void
print_json(struct buf *b, const char *path, const struct verify_result *r,
    struct rows *rows)
{
	static const char *const results[] = {"holds", NULL, "not-checked",
	    "fails"};
	char when[CLOCK_TEXT];
	struct json_write w;

	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++)
		statement_row(b, path, r, i, rows);
	rows_open(rows, b);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "verification");
	json_key(&w, "path");
	json_text(&w, path, strlen(path), TEXT_PATH);
	json_kstr(&w, "result", results[verify_exit(r)]);
	json_kstr(&w, "bag", r->bag[0] != '\0' ? r->bag : NULL);
	if (r->has_sha256)
		json_khex(&w, "sha256", r->sha256, 32);
	else
		json_knull(&w, "sha256");
	json_ku64(&w, "size", r->size);
	json_ku64(&w, "members", r->members);
	json_kstr(&w, "signer", r->signer[0] != '\0' ? r->signer : NULL);
	json_khex(&w, "signer_sha256", r->signer_sha256, 32);
	json_kstr(&w, "tsa", r->tsa[0] != '\0' ? r->tsa : NULL);
	json_kstr(&w, "gen_time", r->gen_time >= 0 ?
	    clock_rfc3339(when, r->gen_time * 1000000000, 0) : NULL);
	json_kbool(&w, "local_tsa", r->local_tsa);
	json_end_object(&w);
	rows_close(rows, b);
}

void
verify_print(struct buf *b, const char *path, const struct verify_result *r,
    struct rows *rows, bool quiet)
{
	if (rows->json)
		print_json(b, path, r, rows);
	else
		print_text(b, path, r, quiet);
}
